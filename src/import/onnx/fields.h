// One protobuf message, field by field. protozero decodes the wire; this adds what it leaves to its caller:
// that each field has the wire type its declaration says, that text is of bounded length, that errors say
// where.
//
// protozero throws on malformed bytes; guarded() is the one place that catches.
#pragma once
#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hone::onnx {

// Where in which file the reader is.
struct Cursor {
  const char* begin = nullptr;  // of the file
  const char* at = nullptr;     // of the field being read
  const char* message = "";     // the enclosing message's name in onnx.proto
  unsigned field = 0;
  size_t longest_text = 0;
  std::string str() const {
    return strf("%s, field %u at byte %zu", message, field, static_cast<size_t>(at - begin));
  }
};

class Fields {
 public:
  Fields(Cursor& cursor, std::string_view bytes, const char* message)
      : cursor_(cursor), message_(message), reader_(bytes.data(), bytes.size()) {}
  // Calls field(tag) for each field; it must read or skip() the field.
  template <class F>
  Status each(F&& field) {
    while (next()) HONE_CHECK(field(static_cast<unsigned>(reader_.tag())));
    return {};
  }
  Status skip() {
    reader_.skip();
    return {};
  }
  Status bytes(std::string_view& out) {
    HONE_CHECK(expect(protozero::pbf_wire_type::length_delimited));
    const protozero::data_view view = reader_.get_view();
    out = {view.data(), view.size()};
    return {};
  }
  // For what becomes a name.
  Status text(std::string_view& out) {
    HONE_CHECK(bytes(out));
    if (out.size() > cursor_.longest_text)
      return error(Code::limit, "%s: a name of %zu bytes; names are limited to %zu", cursor_.str().c_str(),
                   out.size(), cursor_.longest_text);
    return {};
  }
  Status integer(int64_t& out) {
    HONE_CHECK(expect(protozero::pbf_wire_type::varint));
    out = reader_.get_int64();
    return {};
  }
  Status real(float& out) {
    HONE_CHECK(expect(protozero::pbf_wire_type::fixed32));
    out = reader_.get_float();
    return {};
  }
  // Repeated scalars come packed (one length-delimited run) or one by one, and both may be mixed.
  Status append_integers(std::vector<int64_t>& out) {
    if (packed()) {
      for (const int64_t v : reader_.get_packed_int64()) out.push_back(v);
      return {};
    }
    HONE_CHECK(integer(out.emplace_back()));
    return {};
  }
  template <class T>
  Status append_fixed(std::vector<T>& out) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    if (packed()) {
      if constexpr (sizeof(T) == 4)
        for (const float v : reader_.get_packed_float()) out.push_back(v);
      else
        for (const double v : reader_.get_packed_double()) out.push_back(v);
      return {};
    }
    if constexpr (sizeof(T) == 4) {
      HONE_CHECK(real(out.emplace_back()));
    } else {
      HONE_CHECK(expect(protozero::pbf_wire_type::fixed64));
      out.push_back(reader_.get_double());
    }
    return {};
  }

 private:
  bool next() {
    cursor_.message = message_;
    cursor_.at = reader_.data().data();
    cursor_.field = 0;
    if (!reader_.next()) return false;
    cursor_.field = reader_.tag();
    return true;
  }
  bool packed() const { return reader_.wire_type() == protozero::pbf_wire_type::length_delimited; }
  Status expect(protozero::pbf_wire_type type) const {
    if (reader_.wire_type() == type) return {};
    return error(Code::corrupt, "%s: wire type %u, expected %u; the file is damaged", cursor_.str().c_str(),
                 static_cast<unsigned>(reader_.wire_type()), static_cast<unsigned>(type));
  }
  Cursor& cursor_;
  const char* message_;
  protozero::pbf_reader reader_;
};

template <class F>
Status guarded(const Cursor& cursor, F&& read) {
  try {
    return read();
  } catch (const protozero::end_of_buffer_exception&) {
    return error(Code::corrupt, "%s: the data end in the middle of it; the file is truncated or damaged",
                 cursor.str().c_str());
  } catch (const protozero::exception& e) {
    return error(Code::corrupt, "%s: %s; the file is damaged", cursor.str().c_str(), e.what());
  }
}

}  // namespace hone::onnx
