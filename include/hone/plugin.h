/* Operators of your own, in a shared library (docs/plugins.md). A plugin includes this header, links nothing of Hone and
 * exports one function:
 *
 *   const hone_plugin* hone_plugin_entry(void) { static const hone_plugin p = {HONE_PLUGIN_ABI, "acme", 1, ops}; return &p; }
 *
 * hone_load_plugin(), `hone --plugin FILE` or the environment variable HONE_PLUGINS loads it; its operators are then known
 * to the importer, the optimiser and the runtime. A library stays loaded until the process ends. It is code: it runs with
 * all rights of the process.
 *
 * Rules for all functions of a plugin:
 *   - They return 0, or after host->fail(call, "why ...") another number. An exception that leaves one is caught where the
 *     compiler that made both can, and counts as a failure; nothing else a plugin does wrong can be caught.
 *   - They may be called by several threads at once. A state is used by one thread at a time.
 *   - They do not call Hone but through `host`, with the `call` they were given, before they return.
 */
#pragma once

#include "hone/hone.h" /* types only */

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever a struct of this file, or hone_tensor or hone_text, does. Other versions are refused. */
enum { HONE_PLUGIN_ABI = 1 };

typedef enum hone_plugin_attr_type {
  HONE_PLUGIN_INT = 1,
  HONE_PLUGIN_FLOAT = 2,
  HONE_PLUGIN_TEXT = 3,
  HONE_PLUGIN_INTS = 4,
  HONE_PLUGIN_FLOATS = 5,
  HONE_PLUGIN_TEXTS = 6,
  HONE_PLUGIN_TENSOR = 7 /* of any element type but HONE_STRING */
} hone_plugin_attr_type;

typedef enum hone_plugin_presence {
  HONE_PLUGIN_OPTIONAL = 0,
  HONE_PLUGIN_REQUIRED = 1,
  HONE_PLUGIN_DEFAULTED = 2 /* INT, FLOAT and TEXT only: the value below where a node leaves it out */
} hone_plugin_presence;

typedef struct hone_plugin_attr {
  const char* name;
  hone_plugin_attr_type type;
  hone_plugin_presence presence;
  int64_t default_int;
  float default_float;
  const char* default_text;
} hone_plugin_attr;

struct hone_plugin_host;

/* One call of a function below. Everything in it belongs to Hone and ends with the call. */
typedef struct hone_plugin_call {
  const struct hone_plugin_host* host;
  void* self;  /* Hone's */
  void* user;  /* hone_plugin_op.user */
  void* state; /* run: what create made */
  /* As many as the node has; kind HONE_ABSENT: an optional one that is left out. A dimension that is not known yet is
   * negative: -1, or another negative number, which stands for the same extent wherever it occurs (copy it, do not
   * calculate with it). rank -1: not even that is known. When running all is known, data are contiguous and row-major, and
   * `data` of strings is hone_text[elements]. */
  const hone_tensor* inputs;
  size_t input_count;
  hone_tensor* outputs;
  size_t output_count;
  /* run: where the elements of output i go (outputs[i].bytes bytes, aligned for their type, not cleared). NULL if inference left its
   * shape open: see make_output; or if its elements are strings: see set_text. */
  void* const* output_data;
} hone_plugin_call;

/* What Hone does for a plugin. */
typedef struct hone_plugin_host {
  /* Attributes of the node. 1: there, and *value set; 0: absent, or declared of another type. What they point to lives as
   * long as the call; of the lists `count` is the length. attr_text: item `index` of a list of texts, 0 of a single one. */
  int (*attr_int)(const hone_plugin_call* call, const char* name, int64_t* value);
  int (*attr_float)(const hone_plugin_call* call, const char* name, float* value);
  int (*attr_text)(const hone_plugin_call* call, const char* name, size_t index, hone_text* value);
  int (*attr_ints)(const hone_plugin_call* call, const char* name, const int64_t** values, size_t* count);
  int (*attr_floats)(const hone_plugin_call* call, const char* name, const float** values, size_t* count);
  int (*attr_tensor)(const hone_plugin_call* call, const char* name, hone_tensor* value);
  /* run: says what an output is whose shape inference left open. NULL: refused, then return another number than 0. Else its
   * memory (of strings: any pointer), which is in output_data too. */
  void* (*make_output)(hone_plugin_call* call, size_t output, hone_dtype dtype, int rank,
                       const int64_t* dims);
  /* run: element `index` of an output of strings; copied. Not 0: there is no such element. */
  int (*set_text)(hone_plugin_call* call, size_t output, size_t index, const char* data, size_t size);
  /* run: 1 if the caller wants to stop: long loops ask now and then, and return another number than 0. */
  int (*cancelled)(const hone_plugin_call* call);
  /* The reason for a failure, as printf; up to 500 bytes. Returns 1: `return call->host->fail(call, ...);` */
  int (*fail)(hone_plugin_call* call, const char* format, ...)
#if defined(__GNUC__)
      __attribute__((format(printf, 2, 3)))
#endif
      ;
} hone_plugin_host;

typedef enum hone_plugin_flag {
  /* The same inputs give the same outputs: nodes whose inputs are constants are run when an engine is built, and equal nodes
   * once. Without it an operator is never folded. */
  HONE_PLUGIN_PURE = 1
} hone_plugin_flag;

typedef struct hone_plugin_op {
  /* Letters, digits, '_' and '-'; in domains '.' too. A domain of ONNX's own ("", "ai.onnx...") is refused, and an operator
   * that Hone or another plugin has. */
  const char* domain;
  const char* name;
  const char* doc;            /* one line; may be NULL */
  int since_version;          /* 1 or more: models must import this version of the domain or a later one */
  int min_inputs, max_inputs; /* max -1: any number */
  int min_outputs, max_outputs;
  const hone_plugin_attr* attrs;
  size_t attr_count;
  uint32_t flags; /* hone_plugin_flag */
  void* user;
  /* Sets dtype, rank and dims of every output from the types of the inputs: dimensions that cannot be known are -1, of an
   * unknown rank -1. `data` of an input is set only where its value is known, as a constant's is (never of strings). When all dimensions of the
   * inputs are known those of the outputs must be too, unless they depend on data: memory is planned by them. */
  int (*infer)(hone_plugin_call* call);
  /* Writes every output. */
  int (*run)(hone_plugin_call* call);
  /* Both or none. A state belongs to one node of one session: tables made from attributes, scratch memory. It is made when the
   * node first runs (the call has attributes only), and is no place to remember earlier runs by. */
  int (*create)(hone_plugin_call* call, void** state);
  void (*destroy)(void* state);
} hone_plugin_op;

typedef struct hone_plugin {
  uint32_t abi;     /* HONE_PLUGIN_ABI; stays the first field for ever */
  const char* name; /* for messages */
  size_t op_count;
  const hone_plugin_op* ops;
} hone_plugin;

/* What the library exports. Called once. The table and all it points to live as long as the process. */
__attribute__((visibility("default"))) const hone_plugin* hone_plugin_entry(void);

#ifdef __cplusplus
}
#endif
