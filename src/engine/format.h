// The engine file (.hone). This header is the specification; read.cc and write.cc are one implementation of
// it.
//
//   FileHeader | SectionEntry[section_count] | sections, each at an offset divisible by 64, in any order, not
//   overlapping
//
// Numbers are little-endian; floats IEEE 754. Gaps between sections (and between tensors) are zero when
// written and ignored when read. A checksum is XXH64 with seed 0 (base/hash.h).
//
// Versions. A reader refuses a file of a greater major version and reads all smaller ones, for ever. Within a
// major version a greater minor version may add section types, flags in the upper halves, meta keys, and
// fields at the end of a section: a reader of a smaller minor skips what it does not know. A section type
// that must not be skipped carries section_required.
//
// Inside the structural sections (all but `bytes`) nothing is aligned; records follow one another:
//   u8 i8 u32 i32 u64 i64 f32   the number
//   string     u32 length, then that many bytes (any bytes; no terminator)
//   list<T>    u32 count, then the items
//   type       u8 kind (Value::Kind: 0 unknown, 1 tensor, 2 sequence, 3 optional), then of a
//                tensor: u8 element type (0 unknown, else the ONNX number of base/dtype.def), i8 rank (-1:
//                  unknown), rank x i64 dimension (>= 0 known, -1 unknown, -2-k symbol k)
//                sequence, optional: u8 0 (element unknown) or 1, then type of the element. At most
//                  max_type_depth deep.
//   attribute  string name, u8 AttrType (base/attrs.h), then by type
//                0 i64 | 1 f32 | 2 string | 3 list<i64> | 4 list<f32> | 5 list<string> |
//                6 u32 index in `tensors` | 7 program (nested) | 8 type.
//                The attributes of a step are sorted by name, names differ.
//   value      string name, type, u8 ProgramValue::Kind (0 intermediate, 1 input, 2 constant, 3 capture),
//                i32 ref (constant: its index; capture: value index in the enclosing program; else -1)
//   step       string op, string domain, string name, string tactic, list<attribute>, list<i32> in,
//                list<i32> out (value indices; -1: absent)
//   program    string name, list<value>, list<i32> inputs, list<i32> outputs, list<step>. At most
//                max_program_depth deep.
//   packed     string layout, list<i32> constants, u32 index in `tensors`, of a tensor u8[n] (since 1.1)
//
// Laws of a program (validate.cc): steps stand in an order that can be executed, that is, every `in` is -1 or
// a value that is a constant, an input listed in `inputs`, a capture, or an `out` of an earlier step; every
// `out` is -1 or an intermediate that no other step writes; `outputs` are defined at the end; a capture names
// a value defined before the step that holds the nested program. All programs of a file have the same number
// of inputs and of outputs, and tests match them.
//
// Packed constants belong to a plan: the constants of a step as the kernel that was chosen for it likes them,
// so that they are mapped and used in place. `layout` names the kernel and all that the arrangement of the
// bytes depends on (layout_name() in kernels/tactic.h); `constants` has an item for each input of the step:
// an index in EngineData::constants, or -1 where the input is none. A reader that has no use for a layout
// packs the plain constants, which are always there. It takes no size from here: n must be what its own
// kernel asks for.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>

namespace hone::format {

static_assert(std::endian::native == std::endian::little,
              "engine files are used in place: little-endian machines only");

// Not text, and broken by every transfer that meddles with line ends or the eighth bit.
inline constexpr unsigned char magic[8] = {0x89, 'H', 'O', 'N', 'E', '\r', '\n', 0x1a};
inline constexpr uint16_t version_major = 1;
inline constexpr uint16_t version_minor = 1;  // written: the least that has what the file needs
inline constexpr uint64_t alignment = 64;     // of sections in the file and of tensors in `bytes`
inline constexpr uint32_t max_sections = 4096;
inline constexpr int max_program_depth = 32;  // the outermost program has depth 1
inline constexpr int max_type_depth = 8;

struct FileHeader {
  unsigned char magic[8];
  uint16_t major, minor;  // of the format
  uint32_t flags;  // low half: a reader refuses bits it does not know (none yet); high half: it ignores them
  uint64_t file_size;      // of the whole file: tells a truncated one at once
  uint32_t section_count;  // entries of the table, which follows this header
  uint32_t reserved;       // 0
  uint64_t reserved2[3];   // 0
  uint64_t checksum;       // of this header with checksum = 0, followed by the section table
};
static_assert(sizeof(FileHeader) == 64);

enum class SectionType : uint32_t {
  meta = 1,      // list<(string key, string value)>, sorted by key, keys differ. Once.
  symbols = 2,   // list<string>: names of the symbolic dimensions. Once.
  tensors = 3,   // u32 constants, list<TensorEntry>: the first `constants` entries are EngineData::constants;
                 // the others belong to attributes and tests. Once.
  bytes = 4,     // contents of the tensors; used in place. Once. Its checksum is 0: each TensorEntry has its
                 // own, so that loading does not read the weights (verify_constants() does).
  portable = 5,  // program. At most once.
  plan =
      6,  // string target, program, since 1.1: list<packed>. Any number; targets differ. A file has at least
          // one `portable` or `plan`.
  tests = 7,  // list<test>; test: list<u32> inputs, list<u32> outputs: indices in `tensors`. At most once.
};
inline constexpr uint32_t section_required =
    1;  // flag: a reader that does not know the type must refuse the file

struct SectionEntry {
  uint32_t type;
  uint32_t flags;     // low half: section_required; other low bits are refused, high ones ignored
  uint64_t offset;    // from the start of the file; divisible by `alignment`
  uint64_t size;      // in bytes, without the gap that follows
  uint64_t checksum;  // of the section's bytes (`bytes`: 0)
};
static_assert(sizeof(SectionEntry) == 32);

// TensorEntry, in `tensors`: u8 element type (0 only in tests: no tensor there), u8 rank (<= 12), rank x i64
// dimension,
//   u64 offset in `bytes` (divisible by `alignment`), u64 size in bytes, u64 checksum of those bytes.
// Elements are stored row-major; below 8 bits packed, the first element in the low bits. size is what the
// shape needs, exactly. Element type string: n x u32 length, then the bytes of all strings. Entries with
// equal contents may share bytes.

// Meta keys that Hone writes (others may be added freely; readers show what they find, the model's own
// properties among it):
//   name          of the model
//   producer      the tool that wrote the model, with its version
//   source        name (without folder) of the model's file
//   hone.version  of the builder
//   precision     fp32 | fp16 | int8 | mixed
//   opt           "default" | "none" | "default without PASS, ..."
//   task          what pictures become and what outputs mean: TOML (vision/task.h)
//   picture/NAME  a picture file to try the engine on
inline constexpr char picture_prefix[] = "picture/";

}  // namespace hone::format
