/* Hone's C interface: the only symbols that the libraries export. C99; usable from C++ (hone.hpp is nicer
 * there).
 *
 *   hone_engine* e;  hone_session* s;  hone_tensor in = {sizeof in}, out = {sizeof out};
 *   hone_status* st = hone_engine_load("m.hone", NULL, &e);  // a model, where the library can build
 *   st = hone_session_create(e, NULL, &s);
 *   in.kind = HONE_TENSOR; in.dtype = HONE_F32; in.rank = 4; in.dims[0] = 1; ...
 *   in.data = pixels; in.bytes = ...;
 *   st = hone_session_set_input(s, 0, &in);
 *   st = hone_session_run(s);
 *   st = hone_session_output(s, 0, &out);
 *
 * Errors: functions that can fail return hone_status*. NULL is success; anything else says what, where and
 * what to do, and is freed with hone_status_free(). On failure outputs are left as they were, unless stated
 * otherwise.
 *
 * Structs begin with `size_t size`, which the caller sets to sizeof the struct: a later library may know more
 * fields than the program was compiled with, or fewer. Fields not known to both sides count as zero. Zero
 * always means the default. Options may be NULL: all defaults.
 *
 * Ownership: what a *_create or *_load or build function hands out is freed with the matching *_free (NULL is
 * fine there). Pointers inside results belong to the object asked and live as long as it, unless stated
 * otherwise. Paths and other texts passed in are copied; all texts are UTF-8 and end with a zero.
 *
 * Threads: distinct objects may be used in distinct threads at once. An engine may be used by many threads at
 * once. A session, like a model being built, belongs to one thread at a time.
 *
 * Libraries: libhone has everything; libhone_runtime runs engine files only, and says so when asked for more.
 */
#ifndef HONE_HONE_H
#define HONE_HONE_H

#include <stddef.h>
#include <stdint.h>

#if defined(HONE_BUILDING)
#define HONE_API __attribute__((visibility("default")))
#else
#define HONE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HONE_MAX_RANK 12

/* ---- status ---- */

typedef struct hone_status hone_status;

typedef enum hone_code {
  HONE_OK = 0,
  HONE_INVALID_ARGUMENT = 1, /* the caller asked for something that cannot be */
  HONE_NOT_FOUND = 2,        /* a file, a tensor or an operator of that name does not exist */
  HONE_IO = 3,               /* the operating system refused (the message carries its reason) */
  HONE_CORRUPT = 4,          /* a file's bytes contradict its format */
  HONE_UNSUPPORTED = 5,      /* well formed, but outside what Hone (or this library) does */
  HONE_LIMIT = 6,            /* exceeds a stated limit, or memory ran out */
  HONE_CANCELLED = 7,        /* the caller's callback said stop */
  HONE_INTERNAL = 8          /* a bug in Hone */
} hone_code;

/* HONE_OK for NULL. */
HONE_API hone_code hone_status_code(const hone_status* status);
/* One line, without a line end; "ok" for NULL. Lives until hone_status_free. */
HONE_API const char* hone_status_message(const hone_status* status);
HONE_API void hone_status_free(hone_status* status);
/* A failure of one's own, for libraries on top of this one: `code` is a hone_code (another number counts as
 * HONE_INTERNAL). The message is copied; HONE_OK gives NULL. */
HONE_API hone_status* hone_status_new(int code, const char* message);

/* "0.1.0". Lives for ever. */
HONE_API const char* hone_version(void);

/* ---- log ---- */

typedef enum hone_log_level {
  HONE_LOG_ERROR = 0,
  HONE_LOG_WARNING = 1,
  HONE_LOG_INFO = 2,
  HONE_LOG_DEBUG = 3
} hone_log_level;

/* One line without a line end. May be called from any thread that is inside a Hone function; must not call
 * Hone. */
typedef void (*hone_log_fn)(hone_log_level level, const char* line, void* user);

/* Where log lines go, for the whole process, from now on. NULL: standard error (the start). Which lines there
 * are is up to the environment: HONE_LOG=error|warning|info|debug (default warning). `user` is handed to
 * `log`. */
HONE_API void hone_set_log(hone_log_fn log, void* user);

/* ---- pictures inside models: the operator ImageDecoder ---- */

/* Memory for width * height pixels of red, green and blue, row by row; NULL: give up. */
typedef unsigned char* (*hone_image_place_fn)(int64_t width, int64_t height, void* context);
/* Decodes a picture file as it is stored; calls `place` once, when nothing can go wrong any more. Errors:
 * HONE_CORRUPT and HONE_UNSUPPORTED for what cannot be decoded (the operator gives an empty picture). Called
 * by any thread that runs a session. */
typedef hone_status* (*hone_image_decoder_fn)(const void* bytes, size_t byte_count, hone_image_place_fn place,
                                              void* context, void* user);

/* What decodes for engines with this operator, for the whole process, from now on; the libraries have no
 * decoder of their own (libhone_vision has: hone_vision_serve_models). NULL: none (the start). */
HONE_API void hone_set_image_decoder(hone_image_decoder_fn decode, void* user);

/* ---- values ---- */

/* Numbers as in ONNX. Below 8 bits elements are packed, the first in the low bits. A string's element is a
 * hone_text. */
typedef enum hone_dtype {
  HONE_NONE = 0,
  HONE_F32 = 1,
  HONE_U8 = 2,
  HONE_I8 = 3,
  HONE_U16 = 4,
  HONE_I16 = 5,
  HONE_I32 = 6,
  HONE_I64 = 7,
  HONE_STRING = 8,
  HONE_BOOLEAN = 9,
  HONE_F16 = 10,
  HONE_F64 = 11,
  HONE_U32 = 12,
  HONE_U64 = 13,
  HONE_C64 = 14,
  HONE_C128 = 15,
  HONE_BF16 = 16,
  HONE_F8E4M3FN = 17,
  HONE_F8E4M3FNUZ = 18,
  HONE_F8E5M2 = 19,
  HONE_F8E5M2FNUZ = 20,
  HONE_U4 = 21,
  HONE_I4 = 22,
  HONE_F4E2M1 = 23,
  HONE_F8E8M0 = 24,
  HONE_U2 = 25,
  HONE_I2 = 26
} hone_dtype;

/* "f32"; "?" for what is no type. Lives for ever. */
HONE_API const char* hone_dtype_name(hone_dtype dtype);
/* Bits per element; 0 for HONE_NONE and HONE_STRING. */
HONE_API int hone_dtype_bits(hone_dtype dtype);

/* HONE_ABSENT: an optional value that is not there. */
typedef enum hone_kind { HONE_ABSENT = 0, HONE_TENSOR = 1, HONE_SEQUENCE = 2, HONE_OPTIONAL = 3 } hone_kind;

typedef struct hone_text {
  const char* data; /* any bytes; no terminator */
  size_t size;
} hone_text;

/* A tensor: contiguous, row-major. */
typedef struct hone_tensor {
  size_t size;
  hone_kind kind;
  hone_dtype dtype;
  int rank; /* 0 (a scalar) to HONE_MAX_RANK */
  int64_t dims[HONE_MAX_RANK];
  const void* data; /* of a string tensor: hone_text[elements] */
  size_t bytes;     /* behind `data` */
  size_t items;     /* of a sequence: how many tensors; ask for them one by one */
} hone_tensor;

/* What an engine takes or gives. */
typedef struct hone_value_info {
  size_t size;
  const char* name;
  hone_kind kind;
  hone_dtype dtype;                     /* of a sequence: of its tensors */
  int rank;                             /* -1: any */
  int64_t dims[HONE_MAX_RANK];          /* -1: any */
  const char* dim_names[HONE_MAX_RANK]; /* "batch"; NULL where the dimension has no name */
} hone_value_info;

/* ---- plugins: operators in shared libraries (hone/plugin.h) ---- */

/* Loads a plugin, for the whole process and until it ends; again: does nothing. Its code runs with all rights of the process.
 * `path` is a file's, no search path is asked. Without this function the environment is asked when an engine is first loaded or
 * built: HONE_PLUGINS=a.so:b.so. Nothing in a model or an engine file ever makes Hone load a library. Errors: what plugin.h
 * forbids, with the reason; a plugin that is refused adds no operators. */
HONE_API hone_status* hone_load_plugin(const char* path);

/* ---- engine: what an engine file holds, ready to run ---- */

typedef struct hone_engine hone_engine;

typedef struct hone_load_options {
  size_t size;
  int verify; /* not 0: check the contents of all tensors too (reads the whole file) */
} hone_load_options;

/* *is_engine: 1 if the file begins as an engine file does, 0 if it is something else (a model?). Errors: it
 * cannot be read. */
HONE_API hone_status* hone_engine_probe(const char* path, int* is_engine);
/* Loads an engine file, which is mapped and must not be shortened while the engine lives (replace it by
 * rename). With libhone a model file is built in memory instead, as hone_build does with default options. */
HONE_API hone_status* hone_engine_load(const char* path, const hone_load_options* options,
                                       hone_engine** engine);
/* The same from memory: `bytes` are copied. Engine files only. */
HONE_API hone_status* hone_engine_load_memory(const void* bytes, size_t byte_count,
                                              const hone_load_options* options, hone_engine** engine);
/* Sessions keep what they need of their engine; it may be freed before them. */
HONE_API void hone_engine_free(hone_engine* engine);

/* Writes the engine file: to a temporary beside `path`, then renamed. */
HONE_API hone_status* hone_engine_save(const hone_engine* engine, const char* path);
/* The bytes of the engine file; *bytes is freed with hone_free. */
HONE_API hone_status* hone_engine_serialize(const hone_engine* engine, void** bytes, size_t* byte_count);
HONE_API void hone_free(void* bytes);

HONE_API size_t hone_engine_input_count(const hone_engine* engine);
HONE_API size_t hone_engine_output_count(const hone_engine* engine);
/* Errors: no such index. */
HONE_API hone_status* hone_engine_input(const hone_engine* engine, size_t index, hone_value_info* info);
HONE_API hone_status* hone_engine_output(const hone_engine* engine, size_t index, hone_value_info* info);
/* Facts about the engine by key ("name", "precision", ... engine/format.h); NULL: not known. */
HONE_API const char* hone_engine_meta(const hone_engine* engine, const char* key);
/* The same where the fact may hold any bytes; *byte_count (may be NULL) is left alone if it is not known. */
HONE_API const void* hone_engine_meta_bytes(const hone_engine* engine, const char* key, size_t* byte_count);
/* Sets a fact, to be saved with the engine; bytes NULL: removes it. Copies the bytes. What hone_engine_meta
 * gave for this key is no longer valid. Not while other threads use this handle. */
HONE_API hone_status* hone_engine_set_meta(hone_engine* engine, const char* key, const void* bytes,
                                           size_t byte_count);
/* Everything about the engine as one JSON object (docs/cli.md, `hone inspect --json`); *json is freed with
 * hone_free. */
HONE_API hone_status* hone_engine_describe(const hone_engine* engine, char** json);

/* ---- session: runs an engine ---- */

typedef struct hone_session hone_session;

/* Asked between steps, in the thread that runs; not 0 stops the run (HONE_CANCELLED). Must not call Hone. */
typedef int (*hone_cancel_fn)(void* user);

typedef struct hone_session_options {
  size_t size;
  int threads; /* 1 to 256; 0: the environment's HONE_THREADS, else all cores. Results do not depend on it. */
  int profile; /* not 0: measure each step (hone_session_step) */
  int keep_values; /* not 0: all intermediate values survive a run (hone_session_value); takes more memory */
  hone_cancel_fn cancel; /* may be NULL */
  void* user;            /* handed to `cancel` */
  int pin; /* not 0: each thread but the caller's stays on one core, for machines that do little else */
  /* Bytes that values may take while the session runs, inputs and weights not counted; beyond, a run fails
   * (HONE_LIMIT) with the step's name, for shapes can depend on data and loops on anything. 0: the environment's
   * HONE_MEMORY (bytes, or 512M, 2G, ...), else three quarters of the machine's memory (or control group's). */
  int64_t memory;
} hone_session_options;

HONE_API hone_status* hone_session_create(const hone_engine* engine, const hone_session_options* options,
                                          hone_session** session);
HONE_API void hone_session_free(hone_session* session);

/* Binds input `index`. The tensor's data (not the struct) are read during hone_session_run and must stay
 * valid until it returns; the binding holds for later runs too. dims must fit what the engine takes; `bytes`
 * must be what they need. HONE_ABSENT leaves an optional input out. Errors: wrong index, type, rank,
 * dimension or number of bytes. */
HONE_API hone_status* hone_session_set_input(hone_session* session, size_t index, const hone_tensor* tensor);
/* The same for an input that is a sequence of tensors. */
HONE_API hone_status* hone_session_set_input_sequence(hone_session* session, size_t index,
                                                      const hone_tensor* items, size_t item_count);
/* Plans for the shapes that are bound, which the first run would do. Data may still be NULL then. */
HONE_API hone_status* hone_session_prepare(hone_session* session);
/* Runs the engine on the bound inputs. Allocates nothing once it has run with the same shapes (but for
 * operators whose output shape depends on data). Errors: an input that is not bound, what operators refuse,
 * HONE_CANCELLED. */
HONE_API hone_status* hone_session_run(hone_session* session);
/* Output `index` of the last run. Its data live until the next run, or the end, of the session. */
HONE_API hone_status* hone_session_output(hone_session* session, size_t index, hone_tensor* tensor);
/* Item `item` of output `index`, a sequence. */
HONE_API hone_status* hone_session_output_item(hone_session* session, size_t index, size_t item,
                                               hone_tensor* tensor);
/* A value of the engine by name (`hone inspect` lists them), as it was in the last run; needs keep_values. A
 * copy, which lives until the next call of this function or the end of the session. */
HONE_API hone_status* hone_session_value(hone_session* session, const char* name, hone_tensor* tensor);

typedef struct hone_memory {
  size_t size;
  int64_t
      arena_bytes; /* memory for intermediate values, shared between those that are never alive together */
  int64_t tensors_bytes;     /* what it would be without sharing */
  int64_t lower_bound_bytes; /* no placement can take less */
  int64_t weights_bytes;     /* constants of the engine (mapped from its file) */
  int64_t
      packed_bytes; /* weights arranged anew for this machine, so far; shared by the sessions of the engine */
  int64_t prepacked_bytes; /* weights that were arranged for it when the engine was built, in use so far */
} hone_memory;

/* For the shapes last planned for; before that, arena_bytes and the two after it are 0. */
HONE_API hone_status* hone_session_memory(const hone_session* session, hone_memory* memory);
/* Threads in use. */
HONE_API int hone_session_threads(const hone_session* session);

typedef struct hone_step {
  size_t size;
  const char* name; /* of the node in the model; may be "" */
  const char* op;
  const char* tactic; /* the kernel that runs it; "reference": none is optimised for it */
  double ms;          /* time it took in the last run; 0 without hone_session_options.profile */
  double flops; /* twice the multiply-adds of its convolution, matrix product or attention; 0: no such step */
} hone_step;

/* The steps of the current plan, in order. Texts live until the next call of hone_session_step_count. */
HONE_API size_t hone_session_step_count(hone_session* session);
HONE_API hone_status* hone_session_step(hone_session* session, size_t index, hone_step* step);

/* ---- build: model -> engine (libhone; libhone_runtime returns HONE_UNSUPPORTED) ---- */

/* A trained model (ONNX): a file, or bytes in memory. */
typedef struct hone_model {
  size_t size;
  const char* path;  /* the file; or NULL, and then: */
  const void* bytes; /* read during the call only; weights in further files are refused */
  size_t byte_count;
} hone_model;

typedef struct hone_shape {
  const char* input; /* name */
  int rank;
  const int64_t* dims;
} hone_shape;

/* `fraction` of the whole in 0..1 and what is being done now. Not 0 stops the build (HONE_CANCELLED). Must
 * not call Hone. */
typedef int (*hone_progress_fn)(double fraction, const char* what, void* user);
/* A piece of text for people, under a title: the graph after a pass, or ("explain", a line) a change or a
 * choice and its reason, or ("note", a line) something to know in any case. */
typedef void (*hone_report_fn)(const char* title, const char* text, void* user);

typedef struct hone_build_options {
  size_t size;
  const char* precision;    /* "fp32"; NULL: the same */
  const hone_shape* shapes; /* for these inputs, in place of the model's own */
  size_t shape_count;
  int no_optimise;                    /* not 0: run the model's graph as it is */
  const char* const* disabled_passes; /* names; an unknown one is refused with the list of known ones */
  size_t disabled_pass_count;
  const char* const* dump_after; /* passes after which `report` gets the graph as text; "import", "all" */
  size_t dump_after_count;
  int explain; /* not 0: `report` gets every change made to the graph and every kernel, and why */
  hone_progress_fn progress; /* may be NULL; called in the thread that builds */
  hone_report_fn report;     /* may be NULL; called in the thread that builds */
  void* user;                /* handed to `progress` and `report` */
  /* "generic" or NULL: a plan that runs everywhere; weights are packed when it is loaded. "native": a plan
   * for this machine's instruction set too, with its weights packed (if the input shapes are fixed): the file
   * is up to twice as large, loads sooner and takes less memory. */
  const char* target;
  /* Seconds for timing kernels on this machine, at most; needs target "native". 0: estimates choose them, or what
   * timing_records hold. */
  double time_limit;
  /* Files with times of kernels (docs/cli.md): merged and used, and what is measured is added to the first of
   * them, which need not exist. */
  const char* const* timing_records;
  size_t timing_record_count;
} hone_build_options;

/* Builds an engine in memory; hone_engine_save writes it. */
HONE_API hone_status* hone_build(const hone_model* model, const hone_build_options* options,
                                 hone_engine** engine);
/* The model as the importer understands it, as text for people; *text is freed with hone_free. */
HONE_API hone_status* hone_model_describe(const hone_model* model, const hone_build_options* options,
                                          char** text);
/* What would happen to each node of a model, or of an engine file, on this machine: kernel, estimated cost, why
 * no other kernel; or everything that stands against it, each with the nearest remedy. *supported: whether it can
 * run. *json (docs/cli.md, `hone explain --json`) is freed with hone_free. Of the options shapes, no_optimise and
 * disabled_passes count. Errors: it cannot be read at all. */
HONE_API hone_status* hone_explain(const hone_model* model, const hone_build_options* options, int* supported,
                                   char** json);

/* ---- conformance: ONNX's own test cases (libhone; libhone_runtime returns HONE_UNSUPPORTED) ---- */

typedef enum hone_outcome { HONE_PASSED = 0, HONE_FAILED = 1, HONE_SKIPPED = 2 } hone_outcome;

typedef struct hone_conform_options {
  size_t size;
  int no_optimise; /* as in hone_build_options */
  int reference;   /* not 0: builds no engine; runs the model's operators one by one by their definitions */
  int threads;     /* as in hone_session_options */
} hone_conform_options;

/* Builds and runs a case of ONNX's backend tests: a folder with model.onnx and folders test_data_set_N, each with
 * input_K.pb and output_K.pb. Outputs are compared with ONNX's tolerances (docs/conformance.md). *reason: one
 * line that says why the case did not pass, NULL if it did; freed with hone_free. Errors are of the call; whatever is
 * wrong with the case is its outcome. `hone conform` gives each case a process of its own. */
HONE_API hone_status* hone_conform_case(const char* folder, const hone_conform_options* options,
                                        hone_outcome* outcome, char** reason);

#ifdef __cplusplus
}
#endif
#endif
