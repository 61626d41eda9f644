// XXH64 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): 64-bit, not cryptographic, about memory speed.
// Detects accidents, not malice. The same on every machine; engine files store it.
#pragma once
#include <cstddef>
#include <cstdint>

namespace hone {

uint64_t hash64(const void* bytes, size_t size, uint64_t seed = 0);

}  // namespace hone
