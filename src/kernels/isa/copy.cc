#include "kernels/isa/copy.h"

#include "kernels/simd/vec.h"

namespace hone::HONE_ISA {
namespace {

// Side of the square that is transposed in registers.
template <class T>
constexpr int side = sizeof(T) >= 4 ? lanes<T> : 16 / static_cast<int>(sizeof(T));

// Lanes of a and b taking turns, the first and the second half of them.
template <class V, int... I>
HONE_INLINE V zip_low(V a, V b, Ints<I...>) {
  return __builtin_shufflevector(a, b, (I / 2 + I % 2 * lanes_of<V>)...);
}
template <class V, int... I>
HONE_INLINE V zip_high(V a, V b, Ints<I...>) {
  return __builtin_shufflevector(a, b, (I / 2 + lanes_of<V> / 2 + I % 2 * lanes_of<V>)...);
}

// Rows of v become its columns: with N lanes, log2 N times row i is zipped with row i + N / 2.
template <int Stages, class V, int N>
HONE_INLINE void transpose_square(V (&v)[N]) {
  if constexpr (Stages > 1) {
    V w[N];
    sfor<N / 2>([&](auto i) HONE_LAMBDA {
      w[2 * i] = zip_low(v[i], v[i + N / 2], Count<N>{});
      w[2 * i + 1] = zip_high(v[i], v[i + N / 2], Count<N>{});
    });
    transpose_square<Stages / 2>(w);
    sfor<N>([&](auto i) HONE_LAMBDA { v[i] = w[i]; });
  }
}

// rows x columns of a square; Whole: all of it.
template <bool Whole, class T>
HONE_INLINE void tile(T* to, int64_t to_row, const T* from, int64_t from_row, int rows, int columns) {
  constexpr int N = side<T>;
  using V = vec<T, N>;
  V v[N];
  sfor<N>([&](auto r) HONE_LAMBDA {
    if constexpr (Whole) v[r] = load<V>(from + r * from_row);
    else v[r] = r < rows ? load_n<V>(from + r * from_row, columns) : V{};
  });
  transpose_square<N>(v);
  sfor<N>([&](auto c) HONE_LAMBDA {
    if constexpr (Whole) store(to + c * to_row, v[c]);
    else if (c < columns) store_n(to + c * to_row, v[c], rows);
  });
}

// The j-th of L lanes of output k, out of R vectors: where lane `at` of the concatenation of the inputs comes
// from, as an index into two of them; 0 where it is in neither.
constexpr int pick(int at, int first, int lanes_) {
  const int i = at - first * lanes_;
  return i >= 0 && i < 2 * lanes_ ? i : 0;
}
// Lane of the concatenated inputs that goes to lane j of output k: R planes become neighbours, or neighbours
// become R planes.
template <int R, bool Join>
constexpr int source(int k, int j, int lanes_) {
  return Join ? (k * lanes_ + j) % R * lanes_ + (k * lanes_ + j) / R : j * R + k;
}
template <int R, bool Join, int K, class V, int... J>
HONE_INLINE V gather_lanes(const V (&v)[R], Ints<J...>) {
  constexpr int N = lanes_of<V>;
  const V low = __builtin_shufflevector(v[0], v[1], pick(source<R, Join>(K, J, N), 0, N)...);
  if constexpr (R == 2) {
    return low;
  } else {
    const V high =
        R == 3 ? v[2] : __builtin_shufflevector(v[2], v[R - 1], pick(source<R, Join>(K, J, N), 2, N)...);
    return __builtin_shufflevector(
        low, high,
        (source<R, Join>(K, J, N) < 2 * N ? J : N + (R == 3 ? pick(source<R, Join>(K, J, N), 2, N) : J))...);
  }
}

// R planes of n elements become n groups of R (Join), or the other way round.
template <int R, bool Join, class T>
HONE_INLINE void interleave(T* to, int64_t to_row, const T* from, int64_t from_row, int64_t n) {
  constexpr int N = side<T>;
  using V = vec<T, N>;
  int64_t i = 0;
  for (; i + N <= n; i += N) {
    V v[R];
    sfor<R>([&](auto k)
                HONE_LAMBDA { v[k] = load<V>(Join ? from + k * from_row + i : from + R * i + k * N); });
    sfor<R>([&](auto k) HONE_LAMBDA {
      store(Join ? to + R * i + k * N : to + k * to_row + i, gather_lanes<R, Join, k>(v, Count<N>{}));
    });
  }
  if (const int m = static_cast<int>(n - i)) {
    // Of the R * m elements side by side, those that vector k holds.
    const auto part = [&](int k) HONE_LAMBDA {
      const int left = R * m - k * N;
      return left < 0 ? 0 : left < N ? left : N;
    };
    V v[R];
    sfor<R>([&](auto k) HONE_LAMBDA {
      v[k] = Join ? load_n<V>(from + k * from_row + i, m) : load_n<V>(from + R * i + k * N, part(k));
    });
    sfor<R>([&](auto k) HONE_LAMBDA {
      store_n(Join ? to + R * i + k * N : to + k * to_row + i, gather_lanes<R, Join, k>(v, Count<N>{}),
              Join ? part(k) : m);
    });
  }
}

template <bool Join, class T>
HONE_INLINE bool interleave(T* to, int64_t to_row, const T* from, int64_t from_row, int64_t r, int64_t n) {
  if (r == 2) interleave<2, Join>(to, to_row, from, from_row, n);
  else if (r == 3) interleave<3, Join>(to, to_row, from, from_row, n);
  else if (r == 4) interleave<4, Join>(to, to_row, from, from_row, n);
  else return false;
  return true;
}

template <class T>
void transpose(void* to_, int64_t to_row, const void* from_, int64_t from_row, int64_t rows,
               int64_t columns) {
  constexpr int N = side<T>;
  T* to = static_cast<T*>(to_);
  const T* from = static_cast<const T*>(from_);
  if (to_row == rows && interleave<true>(to, to_row, from, from_row, rows, columns)) return;
  if (from_row == columns && interleave<false>(to, to_row, from, from_row, columns, rows)) return;
  for (int64_t c = 0; c < columns; c += N)
    for (int64_t r = 0; r < rows; r += N) {
      const int m = rows - r < N ? static_cast<int>(rows - r) : N,
                n = columns - c < N ? static_cast<int>(columns - c) : N;
      if (m == N && n == N) tile<true>(to + c * to_row + r, to_row, from + r * from_row + c, from_row, m, n);
      else tile<false>(to + c * to_row + r, to_row, from + r * from_row + c, from_row, m, n);
    }
}

template <class T>
void strided(void* to, int64_t to_step, const void* from, int64_t from_step, int64_t n) {
  T* p = static_cast<T*>(to);
  const T* q = static_cast<const T*>(from);
  if (to_step == 1 && from_step == 0) {
    const T value = *q;
    for (int64_t i = 0; i < n; i++) p[i] = value;
    return;
  }
  for (int64_t i = 0; i < n; i++) p[i * to_step] = q[i * from_step];
}

}  // namespace

extern const CopyKernels copy_kernels;
const CopyKernels copy_kernels = {
    .transpose = {transpose<uint8_t>, transpose<uint16_t>, transpose<uint32_t>, transpose<uint64_t>},
    .strided = {strided<uint8_t>, strided<uint16_t>, strided<uint32_t>, strided<uint64_t>},
};

}  // namespace hone::HONE_ISA
