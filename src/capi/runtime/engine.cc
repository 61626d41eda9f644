#include <cstdlib>

#include "capi/runtime/describe.h"
#include "capi/runtime/handles.h"
#include "engine/read.h"
#include "engine/validate.h"
#include "engine/write.h"
#include "plugin/plugin.h"

namespace {
using namespace hone;
using capi::guarded;

Status hand_out(Result<EngineData> data, hone_engine** out) {
  if (!data) return data.take_error();
  HONE_CHECK(validate(*data));
  HONE_TRY(auto engine, Engine::load(*std::move(data)));
  *out = new hone_engine(std::move(engine));
  return {};
}

hone_value_info info_of(const Engine& e, int v) {
  const ProgramValue& value = e.program().program->values[static_cast<size_t>(v)];
  hone_value_info info{};
  info.name = value.name.c_str();
  info.kind = static_cast<hone_kind>(value.type.kind);
  const ValueType* t = &value.type;
  while (t->kind != Value::Kind::tensor && t->element) t = t->element.get();
  info.dtype = static_cast<hone_dtype>(t->dtype);
  info.rank = t->shape.ranked() ? t->shape.rank() : -1;
  for (size_t i = 0; i < t->shape.size(); i++) {
    const Dim d = t->shape[i];
    info.dims[i] = known(d) ? d : -1;
    if (symbolic(d)) info.dim_names[i] = e.data().symbols[static_cast<size_t>(symbol_of(d))].c_str();
  }
  return info;
}

hone_status* value_info(const hone_engine* e, const std::vector<int>& list, const char* what, size_t index,
                        hone_value_info* info) {
  return guarded([&]() -> Status {
    if (index >= list.size())
      return error(Code::invalid_argument, "%s %zu does not exist: the engine has %zu", what, index,
                   list.size());
    return capi::give(info_of(*e->engine, list[index]), info);
  });
}

// What is saved: everything but the meta is shared with the engine.
EngineData data_of(const hone_engine& e) {
  EngineData data = e.engine->data();
  data.meta = e.meta;
  return data;
}

Result<char*> c_string(const std::string& s) {
  char* copy = strdup(s.c_str());
  if (!copy) return error(Code::limit, "out of memory");
  return copy;
}
}  // namespace

hone_status* hone_load_plugin(const char* path) {
  return guarded([&]() -> Status {
    if (!path || !*path)
      return error(Code::invalid_argument, "hone_load_plugin: path must not be NULL or empty");
    return load_plugin(path);
  });
}

hone_status* hone_engine_probe(const char* path, int* is_engine) {
  return guarded([&]() -> Status {
    if (!path || !is_engine)
      return error(Code::invalid_argument, "hone_engine_probe: path and is_engine must not be NULL");
    HONE_TRY(const auto file, MappedFile::open(path));
    *is_engine = looks_like_engine(file->bytes());
    return {};
  });
}

hone_status* hone_engine_load(const char* path, const hone_load_options* given, hone_engine** out) {
  return guarded([&]() -> Status {
    if (!path || !out)
      return error(Code::invalid_argument, "hone_engine_load: path and engine must not be NULL");
    const hone_load_options options = capi::take(given);
    HONE_CHECK(load_environment_plugins());
    HONE_TRY(auto file, MappedFile::open(path));
    if (!looks_like_engine(file->bytes())) {
      HONE_TRY(auto engine, capi::engine_of_model(path));
      *out = new hone_engine(std::move(engine));
      return {};
    }
    return hand_out(read_engine(std::move(file), {.verify_constants = options.verify != 0}), out);
  });
}

hone_status* hone_engine_load_memory(const void* bytes, size_t byte_count, const hone_load_options* given,
                                     hone_engine** out) {
  return guarded([&]() -> Status {
    if ((!bytes && byte_count) || !out)
      return error(Code::invalid_argument, "hone_engine_load_memory: NULL given");
    const hone_load_options options = capi::take(given);
    HONE_CHECK(load_environment_plugins());
    HONE_TRY(Tensor copy, Tensor::allocate(DType::u8, Shape{static_cast<Dim>(byte_count)}));
    if (byte_count) std::memcpy(copy.bytes(), bytes, byte_count);
    return hand_out(read_engine_bytes(copy.owner(), {static_cast<const std::byte*>(copy.bytes()), byte_count},
                                      {.verify_constants = options.verify != 0}),
                    out);
  });
}

void hone_engine_free(hone_engine* e) { delete e; }

hone_status* hone_engine_save(const hone_engine* e, const char* path) {
  return guarded([&]() -> Status {
    if (!path) return error(Code::invalid_argument, "hone_engine_save: path must not be NULL");
    return write_engine(data_of(*e), path);
  });
}

hone_status* hone_engine_serialize(const hone_engine* e, void** bytes, size_t* byte_count) {
  return guarded([&]() -> Status {
    HONE_TRY(const auto all, engine_bytes(data_of(*e)));
    void* copy = std::malloc(all.size());
    if (!copy) return error(Code::limit, "out of memory: %zu bytes for an engine", all.size());
    std::memcpy(copy, all.data(), all.size());
    *bytes = copy;
    *byte_count = all.size();
    return {};
  });
}

void hone_free(void* bytes) { std::free(bytes); }

size_t hone_engine_input_count(const hone_engine* e) { return e->engine->program().program->inputs.size(); }
size_t hone_engine_output_count(const hone_engine* e) { return e->engine->program().program->outputs.size(); }
hone_status* hone_engine_input(const hone_engine* e, size_t index, hone_value_info* info) {
  return value_info(e, e->engine->program().program->inputs, "input", index, info);
}
hone_status* hone_engine_output(const hone_engine* e, size_t index, hone_value_info* info) {
  return value_info(e, e->engine->program().program->outputs, "output", index, info);
}

const char* hone_engine_meta(const hone_engine* e, const char* key) {
  const auto it = key ? e->meta.find(key) : e->meta.end();
  return it == e->meta.end() ? nullptr : it->second.c_str();
}

const void* hone_engine_meta_bytes(const hone_engine* e, const char* key, size_t* byte_count) {
  const auto it = key ? e->meta.find(key) : e->meta.end();
  if (it == e->meta.end()) return nullptr;
  if (byte_count) *byte_count = it->second.size();
  return it->second.data();
}

hone_status* hone_engine_set_meta(hone_engine* e, const char* key, const void* bytes, size_t byte_count) {
  return guarded([&]() -> Status {
    if (!key || !*key) return error(Code::invalid_argument, "hone_engine_set_meta: the key is empty");
    if (!bytes) e->meta.erase(key);
    else e->meta[key].assign(static_cast<const char*>(bytes), byte_count);
    return {};
  });
}

hone_status* hone_engine_describe(const hone_engine* e, char** json) {
  return guarded([&]() -> Status {
    HONE_TRY(*json, c_string(capi::describe(*e->engine, e->meta).str()));
    return {};
  });
}
