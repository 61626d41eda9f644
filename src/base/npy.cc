#include "base/npy.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/convert.h"
#include "base/mapped_file.h"
#include "base/utf8.h"
#include "base/write_file.h"

namespace hone {
namespace {
using Bytes = std::span<const std::byte>;
constexpr std::string_view magic = "\x93NUMPY";

// What NumPy calls an element type: kind letter and bytes per element.
struct NumpyType {
  DType dtype;
  char kind;
  int bytes;
};
constexpr NumpyType types[] = {{DType::boolean, 'b', 1}, {DType::i8, 'i', 1},   {DType::i16, 'i', 2},
                               {DType::i32, 'i', 4},     {DType::i64, 'i', 8},  {DType::u8, 'u', 1},
                               {DType::u16, 'u', 2},     {DType::u32, 'u', 4},  {DType::u64, 'u', 8},
                               {DType::f16, 'f', 2},     {DType::f32, 'f', 4},  {DType::f64, 'f', 8},
                               {DType::c64, 'c', 8},     {DType::c128, 'c', 16}};

struct Header {
  char order = '|', kind = 0;
  uint32_t width = 0;  // the number in the type: bytes per element; of U: characters
  bool fortran = false;
  Shape shape;
};

// The header is a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }.
class Literal {
 public:
  explicit Literal(std::string_view text) : text_(text) {}
  bool accept(char c) {
    skip();
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool accept(std::string_view word) {
    skip();
    if (text_.substr(0, word.size()) != word) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  bool string(std::string_view& out) {
    const char quote = accept('\'') ? '\'' : accept('"') ? '"' : '\0';
    const size_t end = quote ? text_.find(quote) : std::string_view::npos;
    if (end == std::string_view::npos) return false;
    out = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return true;
  }
  bool number(int64_t& out) {
    skip();
    size_t n = 0;
    for (out = 0; n < text_.size() && text_[n] >= '0' && text_[n] <= '9'; n++) {
      if (out > (INT64_MAX - 9) / 10) return false;
      out = out * 10 + (text_[n] - '0');
    }
    text_.remove_prefix(n);
    accept('L');  // a long integer of Python 2
    return n > 0;
  }

 private:
  void skip() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\n')) text_.remove_prefix(1);
  }
  std::string_view text_;
};

Result<Header> parse_header(std::string_view text) {
  Literal in(text);
  Header h;
  bool have_type = false, have_order = false, have_shape = false;
  const Error bad =
      error(Code::corrupt, "the .npy header is not understood: %.120s", std::string(text).c_str());
  if (!in.accept('{')) return bad;
  while (!in.accept('}')) {
    std::string_view key, descr;
    if (!in.string(key) || !in.accept(':')) return bad;
    if (key == "descr") {
      if (!in.string(descr))
        return error(Code::unsupported, "record types are not supported in .npy files; save a plain array");
      Literal digits(descr.size() > 2 ? descr.substr(2) : descr);
      int64_t width = 0;
      if (descr.size() < 3 || !digits.number(width) || width > INT32_MAX)
        return error(Code::unsupported, "element type '%.20s' of an .npy file is not supported",
                     std::string(descr).c_str());
      h.order = descr[0];
      h.kind = descr[1];
      h.width = static_cast<uint32_t>(width);
      have_type = true;
    } else if (key == "fortran_order") {
      h.fortran = in.accept("True");
      if (!h.fortran && !in.accept("False")) return bad;
      have_order = true;
    } else if (key == "shape") {
      if (!in.accept('(')) return bad;
      for (int64_t d = 0; !in.accept(')'); in.accept(',')) {
        if (!in.number(d)) return bad;
        if (h.shape.rank() == max_rank)
          return error(Code::limit, "an .npy file with more than %d dimensions", max_rank);
        h.shape.push_back(d);
      }
      have_shape = true;
    } else {
      return bad;
    }
    in.accept(',');
  }
  if (!have_type || !have_order || !have_shape) return bad;
  return h;
}

void reverse_bytes(std::byte* p, size_t count, size_t width) {
  for (size_t i = 0; i < count; i++) std::reverse(p + i * width, p + (i + 1) * width);
}

// Copies elements from first-index-fastest to last-index-fastest order.
void from_fortran(const std::byte* from, std::byte* to, const Shape& shape, size_t width) {
  std::array<int64_t, max_rank> index{}, stride{};
  int64_t n = 1;
  for (size_t i = 0; i < shape.size(); i++) {
    stride[i] = n;
    n *= shape[i];
  }
  for (int64_t i = 0, at = 0; i < n; i++) {
    std::memcpy(to + static_cast<size_t>(i) * width, from + static_cast<size_t>(at) * width, width);
    for (size_t k = shape.size(); k-- > 0;) {
      at += stride[k];
      if (++index[k] < shape[k]) break;
      at -= stride[k] * shape[k];
      index[k] = 0;
    }
  }
}

std::string fixed_text(const std::byte* p, char kind, uint32_t width) {
  std::string s;
  if (kind == 'S') {
    s.assign(reinterpret_cast<const char*>(p), width);
  } else {
    for (uint32_t i = 0; i < width; i++) {
      uint32_t c;
      std::memcpy(&c, p + 4 * i, 4);
      append_utf8(s, c);
    }
  }
  s.resize(s.find_last_not_of('\0') + 1);  // NumPy pads with zeros
  return s;
}

// The type that NumPy lacks, as one that it has. Exact.
Result<Tensor> widened(const TensorView& t) {
  const int bits = dtype_bits(t.dtype);
  const bool real = is_float(t.dtype), is_signed = dtype_kind(t.dtype) == DKind::sint;
  HONE_TRY(Tensor out, Tensor::allocate(real ? DType::f32 : is_signed ? DType::i8 : DType::u8, t.shape));
  for (int64_t i = 0, n = t.elements(); i < n; i++) {
    if (real) {
      float& f = out.data<float>()[i];
      switch (t.dtype) {
        case DType::bf16:
          f = to_float(t.data<bf16_t>()[i]);
          break;
        case DType::f8e4m3fn:
          f = to_float(t.data<f8e4m3fn_t>()[i]);
          break;
        case DType::f8e4m3fnuz:
          f = to_float(t.data<f8e4m3fnuz_t>()[i]);
          break;
        case DType::f8e5m2:
          f = to_float(t.data<f8e5m2_t>()[i]);
          break;
        case DType::f8e5m2fnuz:
          f = to_float(t.data<f8e5m2fnuz_t>()[i]);
          break;
        case DType::f8e8m0:
          f = to_float(t.data<f8e8m0_t>()[i]);
          break;
        default:
          f = from_small_float(get_packed(t.bytes, i, bits), f4e2m1_format);
      }
    } else {
      const uint8_t v = get_packed(t.bytes, i, bits);
      out.data<uint8_t>()[i] = is_signed ? static_cast<uint8_t>(sign_extend(v, bits)) : v;
    }
  }
  return out;
}

std::string with_header(const std::string& descr, const Shape& shape, std::string_view data) {
  std::string dict = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (Dim d : shape) dict += std::to_string(d) + ", ";
  if (shape.rank() > 1) dict.resize(dict.size() - 2);
  if (shape.rank() == 1) dict.pop_back();
  dict += "), }";
  const size_t before = magic.size() + 4;
  dict.append(63 - (before + dict.size()) % 64, ' ');  // the data start at a multiple of 64
  dict += '\n';
  std::string out(magic);
  out += '\1';
  out += '\0';
  out += static_cast<char>(dict.size() & 0xff);
  out += static_cast<char>(dict.size() >> 8);
  out.reserve(out.size() + dict.size() + data.size());
  return (out += dict).append(data);
}

std::string format_strings(const TensorView& t) {
  const size_t n = static_cast<size_t>(t.elements());
  const auto* strings = t.data<std::string>();
  bool text = true;
  size_t width = 1;
  for (size_t i = 0; i < n; i++) text = text && is_utf8(strings[i]);
  std::vector<std::u32string> wide(text ? n : 0);
  for (size_t i = 0; i < n; i++) {
    if (text) wide[i] = decode_utf8(strings[i]);
    width = std::max(width, text ? wide[i].size() : strings[i].size());
  }
  std::string data;
  for (size_t i = 0; i < n; i++) {
    if (text) data.append(reinterpret_cast<const char*>(wide[i].data()), wide[i].size() * 4);
    else data += strings[i];
    data.resize((i + 1) * width * (text ? 4 : 1));
  }
  return with_header((text ? "<U" : "|S") + std::to_string(width), t.shape, data);
}
}  // namespace

Result<Tensor> parse_npy(Bytes file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (text.substr(0, magic.size()) != magic)
    return error(Code::corrupt, "this is not an .npy file; numpy.save() writes one");
  const size_t length_bytes = text.size() > 8 && text[6] == 1 ? 2 : 4;
  if (text.size() < 8 + length_bytes)
    return error(Code::corrupt, "the .npy file is cut off within its header");
  if (text[6] < 1 || text[6] > 3)
    return error(Code::unsupported, ".npy format version %d is not supported (1 to 3 are)",
                 static_cast<unsigned char>(text[6]));
  uint32_t length = 0;
  std::memcpy(&length, text.data() + 8, length_bytes);
  if (length > text.size() - 8 - length_bytes)
    return error(Code::corrupt, "the .npy file is cut off within its header");
  HONE_TRY(const Header h, parse_header(text.substr(8 + length_bytes, length)));
  const Bytes data = file.subspan(8 + length_bytes + length);
  HONE_TRY(const int64_t elements, checked_elements(h.shape));
  const auto n = static_cast<uint64_t>(elements);

  const bool is_text = h.kind == 'U' || h.kind == 'S';
  const auto* type = std::find_if(std::begin(types), std::end(types), [&](const NumpyType& t) {
    return t.kind == h.kind && static_cast<uint32_t>(t.bytes) == h.width;
  });
  if ((!is_text && type == std::end(types)) || (is_text && !h.width && n) ||
      (h.order != '<' && h.order != '>' && h.order != '|' && h.order != '='))
    return error(Code::unsupported, "element type '%c%c%u' of an .npy file is not supported", h.order, h.kind,
                 h.width);
  const uint64_t width = h.kind == 'U' ? uint64_t{h.width} * 4 : h.width;
  if (n && (width > data.size() / n || n * width > data.size()))
    return error(Code::corrupt,
                 "the .npy file is cut off: shape %s needs %llu elements of %llu bytes, there are %zu bytes",
                 h.shape.str().c_str(), static_cast<unsigned long long>(n),
                 static_cast<unsigned long long>(width), data.size());

  std::vector<std::byte> ordered;  // the elements, if they must be moved before they can be read
  const std::byte* from = data.data();
  const size_t unit = h.kind == 'U' ? 4 : h.kind == 'c' ? width / 2 : width;  // what byte order concerns
  const bool swap = h.order == '>' && unit > 1 && h.kind != 'S';
  if (n && (swap || h.fortran)) {
    ordered.resize(n * width);
    if (h.fortran) from_fortran(from, ordered.data(), h.shape, width);
    else std::memcpy(ordered.data(), from, n * width);
    if (swap) reverse_bytes(ordered.data(), n * width / unit, unit);
    from = ordered.data();
  }
  HONE_TRY(Tensor t, Tensor::allocate(is_text ? DType::string : type->dtype, h.shape));
  if (is_text)
    for (size_t i = 0; i < n; i++) t.data<std::string>()[i] = fixed_text(from + i * width, h.kind, h.width);
  else if (n) std::memcpy(t.bytes(), from, n * width);
  return t;
}

Result<std::string> format_npy(const TensorView& t) {
  if (t.dtype == DType::string) return format_strings(t);
  for (const NumpyType& type : types)
    if (type.dtype == t.dtype)
      return with_header(strf("%c%c%d", type.bytes == 1 ? '|' : '<', type.kind, type.bytes), t.shape,
                         {static_cast<const char*>(t.bytes), static_cast<size_t>(t.byte_size())});
  if (t.dtype == DType::none) return error(Code::invalid_argument, "there is no tensor to write");
  HONE_TRY(const Tensor wide, widened(t));
  return format_npy(wide.view());
}

Result<Tensor> read_npy(const std::string& path) {
  HONE_TRY(const auto file, MappedFile::open(path));
  auto t = parse_npy(file->bytes());
  if (!t) return in(path, t.take_error());
  return t;
}

Status write_npy(const std::string& path, const TensorView& t) {
  auto text = format_npy(t);
  if (!text) return in(path, text.take_error());
  return write_file(path, *text);
}

}  // namespace hone
