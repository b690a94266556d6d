// The local form of a KAN convolution: at any value only order + 1 splines are not zero, so
// only they and the base are multiplied, whatever the grid size. float32.
// Of other bases all functions are multiplied, K + 1 at a time: the "parts" of a slab. They are then
// as splines with one interval.
//
// Notation: p is a pixel of the input, q one of the output, c an input channel, o an output
// channel, tap an entry of the kernel. A "slab" is the weight of one (c, tap): one row of output
// channels for every spline, with `order` rows of zeros before and after, then the base's row; the
// interval i of a value picks the rows i ... i + order, and no border needs a special case.
// Where few output channels would leave vectors half empty, the taps of a row of the kernel lie
// side by side, as "lanes" kx * out + o of one slab: what one pixel gives to several is computed at
// once and moved to its places afterwards.
// A dense layer is a convolution with one tap, the batch being the rows of one image.
//
// The forward pass goes through the output in blocks that stay in the first cache. The backward
// pass sorts the values of a channel by interval: for a run of equal intervals the rows of the
// slab, or of its gradient, stay in registers. Sums have one order whatever the number of threads.
//
// A product that is left out because a spline is zero would have been NaN for a coefficient that is
// not finite. So all numbers are looked at on their way in, and where one is not finite the call
// ends and says so: torch's operations then compute what they would have.
//
// Compiled for one ORDER of splines, or 0 for other bases, and one LEVEL, the name of a set of
// instructions, at a time (compile_options.py); local.py calls the two functions at the end. All
// here is of this file alone: of what several files define, std::min say, the linker takes one,
// with whatever instructions.

#include "families.h"
#include "runtime.h"
#include "vectors.h"

namespace {

constexpr bool SPLINES = ORDER > 0;
constexpr int K = SPLINES ? ORDER : 8;
constexpr int MOST = (LANES == 8 ? 2 : 4) / (SPLINES ? 1 : 2);  // vectors in a block of outputs
constexpr int64_t FORWARD_PIXELS = 256;    // output pixels of a block
constexpr int64_t BACKWARD_PIXELS = 1024;  // input pixels sorted at a time
constexpr int64_t SLOTS = 8;               // partial sums of the weight's gradient ...
constexpr int64_t SLOTS_FLOATS = 1 << 22;  // ... of this many numbers together

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// Packed by local.py. Strides are in numbers, those of x in the order n, row, column, c.
struct Problem {
  int64_t n, height, width, channels, out, groups;  // height and width with the padding
  int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, out_h, out_w;
  int64_t inner_h, inner_w, top, left;  // where in it the input lies
  int64_t x[4], base[4], slope[4], y[4], splines, threads, family;
  double lo, inverse_step;  // of even knots; of other bases what all are shifted and scaled by
};

// A problem and what follows from it.
struct Plan : Problem {
  const double* knots;  // uneven ones, all of them, or null
  int64_t group_in, group_out;
  bool wide;        // whether the taps of a row lie side by side
  int64_t across;   // taps side by side
  int64_t taps;     // slabs per channel
  int64_t in_slab;  // output channels of a slab, times the taps side by side
  int lanes;
  int64_t padded;
  int64_t parts, intervals, before;  // `before` are the rows of a slab above the first function's
  int64_t rows, slab;
  int64_t in_channel;  // numbers of a channel's slabs
  int64_t together;    // channels whose slabs are made at a time: their weight lies side by side

  static int vector_for(int64_t n) { return n <= 8 && LANES > 8 ? 8 : LANES; }
  static int64_t padded_to(int64_t n, int64_t vector) { return (n + vector - 1) / vector * vector; }

  Plan(const Problem& d, const double* uneven)
      : Problem(d),
        knots(uneven),
        group_in(d.channels / d.groups),
        group_out(d.out / d.groups),
        wide(false) {
    const int64_t all = kernel_w * group_out;
    // In one block, and for less work.
    if (kernel_w > 1 && stride_w == 1 && dilation_w == 1 && all <= MOST * LANES)
      wide = padded_to(all, vector_for(all)) * width <
             padded_to(group_out, vector_for(group_out)) * kernel_w * out_w;
    across = wide ? kernel_w : 1;
    taps = kernel_h * kernel_w / across;
    in_slab = across * group_out;
    lanes = vector_for(in_slab);
    padded = padded_to(in_slab, lanes);
    parts = SPLINES ? 1 : (splines + K) / (K + 1);
    intervals = SPLINES ? splines + K : 1;
    before = SPLINES ? K : 0;
    rows = (SPLINES ? splines + 2 * K : parts * (K + 1)) + 1;
    slab = rows * padded;
    in_channel = taps * slab;
    together = smaller(smaller(8, (1 << 16) / in_channel), channels / larger(1, threads));
    together = larger(1, together);
  }

  bool is_padded() const { return height > inner_h || width > inner_w; }
};

// What a call comes to: 0, NOT_FINITE, or the number of bytes that could not be had. Each thread
// looks here before it takes up a piece of work.
constexpr int64_t NOT_FINITE = -1;

struct Outcome {
  int64_t value = 0;
  void fail(int64_t why) { __atomic_store_n(&value, why, __ATOMIC_RELAXED); }
  bool failed() const { return __atomic_load_n(&value, __ATOMIC_RELAXED) != 0; }
};

// Memory aligned to a cache line. Without any the outcome is a failure, and nothing
// may be done with it.
template <class T>
struct Buffer {
  size_t bytes;
  T* data;
  Buffer(int64_t n, Outcome& outcome) {
    const size_t wanted = (static_cast<size_t>(n) * sizeof(T) / 64 + 1) * 64;
    data = static_cast<T*>(kan_take(wanted, &bytes));
    if (!data) outcome.fail(static_cast<int64_t>(wanted));
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (data) kan_give(data, bytes);
  }
  operator T*() const { return data; }
};

// Knots that are not evenly spaced, with more of them beyond both ends so that every interval has
// as many neighbours, and 1 / (t[i + degree] - t[i]), or 0, for every degree.
struct Knots {
  int64_t count, each;
  Buffer<float> table;
  Knots(const Plan& d, Outcome& outcome)
      : count(d.knots ? d.splines + K + 1 : 0),
        each(count + 2 * K),
        table(each * (K + 1), outcome) {
    if (!count || outcome.failed()) return;
    const double first = d.knots[1] - d.knots[0], last = d.knots[count - 1] - d.knots[count - 2];
    for (int64_t i = -K; i < count + K; ++i)
      table[i + K] = static_cast<float>(i < 0       ? d.knots[0] + i * first
                                        : i < count ? d.knots[i]
                                                    : d.knots[count - 1] + (i - count + 1) * last);
    for (int64_t degree = 1; degree <= K; ++degree)
      for (int64_t i = 0; i < each; ++i) {
        const float width = i + degree < each ? table[i + degree] - table[i] : 0.0f;
        table[degree * each + i] = width > 0 ? 1 / width : 0.0f;
      }
  }
};

// Values and slopes of the order + 1 splines on interval i, for n inputs, n rounded up to whole
// vectors. Spline m of the vector j is at m * stride + j * step of v, of s. Outside the support
// they are 0, NaN gives NaN.
// By Cox and de Boor's recursion: with b_m of one degree less, on interval i,
//   b_m <- (x - t[i - degree + m]) / rise * b_(m-1) + (t[i + m + 1] - x) / fall * b_m
template <bool SLOPES, bool EVEN>
void evaluate_splines(const Plan& d, const Knots& knots, const float* x, int64_t n, int64_t stride,
                      int64_t step, float* v, float* s, int32_t* interval) {
  typedef Vector<LANES>::type V;
  typedef Vector<LANES>::integers I;
  const float lo = static_cast<float>(d.lo), inverse = static_cast<float>(d.inverse_step);
  const V zero = {};
  const float* t = knots.table + K;
  const float begin = EVEN ? static_cast<float>(-K) : t[0];
  const float end = EVEN ? static_cast<float>(d.splines) : t[knots.count - 1];
  for (int64_t j = 0, at = 0; j < n; j += LANES, at += step) {
    const V here = *reinterpret_cast<const V*>(x + j);
    const V u = EVEN ? (here - lo) * inverse : here;
    const I outside = (u < begin) | (u >= end);
    I cell = {};
    V offset = zero;  // from the interval's left end, in steps
    if (EVEN) {
      V held = u > begin ? u : zero + begin;
      held = held < end - 0.5f ? held : zero + (end - 0.5f);
      cell = __builtin_convertvector(held + static_cast<float>(K), I);
      offset = u - __builtin_convertvector(cell - K, V);
    } else {
      for (int64_t i = 1; i < knots.count - 1; ++i) cell -= (u >= t[i]);
    }
    *reinterpret_cast<I*>(interval + j) = cell;
    const auto pick = [&](const float* from) {
      V picked = zero;
      for (int lane = 0; lane < LANES; ++lane) picked[lane] = from[cell[lane]];
      return picked;
    };
    V b[K + 1] = {zero + 1.0f}, slope[K + 1];
    for (int degree = 1; degree <= K; ++degree) {
      V shared = zero;  // b_(m-1) / rise, which is the b_m / fall of the step before
      for (int m = 0; m <= degree; ++m) {
        V rise = offset, fall = zero, next = zero;
        if (EVEN) {
          rise += static_cast<float>(degree - m);
          fall = static_cast<float>(m + 1) - offset;
          if (m < degree) next = b[m] * (1.0f / degree);
        } else {
          rise = u - pick(t - degree + m);
          fall = pick(t + m + 1) - u;
          if (m < degree) next = b[m] * pick(t + degree * knots.each + m + 1 - degree);
        }
        if (SLOPES && degree == K) slope[m] = (shared - next) * static_cast<float>(K);
        b[m] = rise * shared + fall * next;
        shared = next;
      }
    }
    for (int m = 0; m <= K; ++m) *reinterpret_cast<V*>(v + m * stride + at) = outside ? zero : b[m];
    if (SLOPES)
      for (int m = 0; m <= K; ++m)
        *reinterpret_cast<V*>(s + m * stride + at) =
            outside ? zero : slope[m] * (EVEN ? inverse : 1.0f);
  }
}

// Values and slopes of all functions of another basis: those of a part as those of splines, of the
// next part `next` numbers behind them. Where a part has more room there are zeros.
template <bool SLOPES, template <bool> class Family>
void evaluate_all(const Plan& d, const float* x, int64_t n, int64_t stride, int64_t next,
                  int64_t step, float* v, float* s, int32_t* interval) {
  const Scale scale = {d.splines, d.lo, d.inverse_step};
  for (int64_t j = 0, at = 0; j < n; j += LANES, at += step) {
    Family<false> value(scale, x + j);
    Family<true> slope(scale, x + j);
    *reinterpret_cast<I*>(interval + j) = I{};
    for (int64_t part = 0, b = 0; part < d.parts; ++part)
      for (int m = 0; m <= K; ++m, ++b) {
        const int64_t to = part * next + m * stride + at;
        *reinterpret_cast<V*>(v + to) = b < d.splines ? value.next() : V{};
        if (SLOPES) *reinterpret_cast<V*>(s + to) = b < d.splines ? slope.next() : V{};
      }
  }
}

template <bool SLOPES>
void evaluate(const Plan& d, const Knots& knots, const float* x, int64_t n, int64_t stride,
              int64_t next, int64_t step, float* v, float* s, int32_t* interval) {
  if constexpr (SPLINES) {
    const auto splines = d.knots ? evaluate_splines<SLOPES, false> : evaluate_splines<SLOPES, true>;
    splines(d, knots, x, n, stride, step, v, s, interval);
  } else {
    constexpr decltype(&evaluate_all<SLOPES, Waves>) OF[] = {evaluate_all<SLOPES, Gaussians>,
                                                             evaluate_all<SLOPES, Chebyshev>,
                                                             evaluate_all<SLOPES, Waves>};
    OF[d.family](d, x, n, stride, next, step, v, s, interval);
  }
}

// n rounded up to whole vectors.
int64_t whole(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

constexpr float NOTHING[MOST * LANES] = {};

// Whether none of n numbers is infinite or NaN, by the bits of the exponent.
bool finite(const float* numbers, int64_t n) {
  constexpr int32_t INFINITE = 0x7f800000;
  int32_t most = 0;
  for (int64_t i = 0; i < n; ++i) {
    int32_t bits;
    memcpy(&bits, numbers + i, sizeof bits);
    bits &= 0x7fffffff;
    most = bits > most ? bits : most;
  }
  return most < INFINITE;
}

// Copy one channel of some rows of an image, side by side.
void gather(const float* from, const int64_t strides[4], int64_t n, int64_t row, int64_t c,
            int64_t rows, int64_t width, float* to) {
  from += n * strides[0] + row * strides[1] + c * strides[3];
  int64_t down = strides[1], right = strides[2];
  if (width == 1) {  // one column: as one row
    width = rows, rows = 1;
    right = down;
  }
  for (int64_t r = 0; r < rows; ++r, from += down, to += width)
    for (int64_t j = 0; j < width; ++j) to[j] = from[j * right];
}

// The same of some rows of a padded image: the padding is 0, of the base too.
void gather_padded(const Plan& d, const float* from, const int64_t strides[4], int64_t n,
                   int64_t row, int64_t c, int64_t rows, float* to) {
  if (!d.is_padded()) return gather(from, strides, n, row, c, rows, d.width, to);
  memset(to, 0, sizeof(float) * rows * d.width);
  const int64_t end = smaller(row + rows, d.top + d.inner_h);
  for (int64_t r = larger(row, d.top); r < end; ++r)
    gather(from, strides, n, r - d.top, c, 1, d.inner_w, to + (r - row) * d.width + d.left);
}

// Call f(first output channel, number of vectors) for blocks of output channels. Everything that
// has output channels lies block by block in memory, so that a block is contiguous.
template <class F>
void blocks(int64_t padded, int lanes, F f) {
  for (int64_t o = 0; o < padded; o += MOST * lanes)
    f(o, static_cast<int>(smaller(MOST, (padded - o) / lanes)));
}

// Weights, or their gradients: (out, in / groups, kh * kw), and the same with splines innermost.
template <class T>
struct Weights {
  T *base, *spline;
  operator bool() const { return base; }
};

// Call f(at, to, width) for every function of some channels: its weight is number `at` of the base's,
// a column of the slabs [channel][tap][block][row][lane] begins at `to`, rows are `width` apart.
template <class F>
void each_function(const Plan& d, int64_t begin, int64_t end, F f) {
  const int64_t gi = d.group_in, go = d.group_out, most = MOST * d.lanes;
  int64_t block = 0, width = smaller(most, d.padded), lane = 0;
  for (int64_t side = 0; side < d.across; ++side)
    for (int64_t o = 0; o < go; ++o, ++lane) {
      if (lane == block + width) {
        block = lane;
        width = smaller(most, d.padded - block);
      }
      for (int64_t c = begin; c < end; ++c) {
        const int64_t at = ((c / gi * go + o) * gi + c % gi) * d.kernel_h * d.kernel_w + side;
        const int64_t to = (c - begin) * d.in_channel + block * d.rows + lane - block;
        for (int64_t tap = 0; tap < d.taps; ++tap)
          f(at + tap * d.across, to + tap * d.slab, width);
      }
    }
}

// Weight of some channels to their slabs.
void pack(const Plan& d, int64_t begin, int64_t end, Weights<const float> weight, float* slabs,
          Outcome& outcome) {
  memset(slabs, 0, sizeof(float) * (end - begin) * d.in_channel);
  each_function(d, begin, end, [&](int64_t at, int64_t to, int64_t width) {
    const float* from = weight.spline + at * d.splines;
    slabs[to + (d.rows - 1) * width] = weight.base[at];
    for (int64_t b = 0; b < d.splines; ++b) slabs[to + (d.before + b) * width] = from[b];
  });
  if (!finite(slabs, (end - begin) * d.in_channel)) outcome.fail(NOT_FINITE);
}

// Threads for so many numbers that are moved or added: waking one costs as much as some ten thousand.
int64_t threads_for(const Plan& d, int64_t numbers) { return numbers > 1 << 16 ? d.threads : 1; }

// Call f(first, end) for all channels, `together` at a time.
template <class F>
void each_channels(const Plan& d, int64_t threads, const F& f) {
  share_out((d.channels + d.together - 1) / d.together, threads, [&](kan_share& share) {
    for (int64_t some; kan_next(share, &some);)
      f(some * d.together, smaller(d.channels, (some + 1) * d.together));
  });
}

void pack_all(const Plan& d, Weights<const float> weight, float* slabs, Outcome& outcome) {
  each_channels(d, threads_for(d, d.channels * d.in_channel), [&](int64_t begin, int64_t end) {
    if (!outcome.failed()) pack(d, begin, end, weight, slabs + begin * d.in_channel, outcome);
  });
}

// The way back, for the gradient.
void unpack(const Plan& d, int64_t begin, int64_t end, const float* slabs, Weights<float> weight) {
  each_function(d, begin, end, [&](int64_t at, int64_t from, int64_t width) {
    float* to = weight.spline + at * d.splines;
    weight.base[at] = slabs[from + (d.rows - 1) * width];
    for (int64_t b = 0; b < d.splines; ++b) to[b] = slabs[from + (d.before + b) * width];
  });
}

// Add to NV vectors of output channels of P pixels what one c gives by T taps, of a basis with one
// interval: the rows are loaded once for all of them.
template <int L, int NV, int T, int P>
void forward_some(const float* slab, int64_t next, int64_t rows, const float* v, int64_t stride,
                  const float* base, int64_t step, float* acc, int64_t below) {
  typedef typename Vector<L>::type V;
  V sum[P][T][NV];
  for (int p = 0; p < P; ++p)
    for (int t = 0; t < T; ++t)
      for (int k = 0; k < NV; ++k)
        sum[p][t][k] = *reinterpret_cast<const V*>(acc + p * NV * L - t * below + k * L);
  for (int m = -1; m <= K; ++m) {
    const float* row = slab + (m < 0 ? rows - 1 : m) * NV * L;
    const float* from = m < 0 ? base : v + m * stride;
    const V zero = {};
    V value[P];
    for (int p = 0; p < P; ++p) value[p] = zero + from[p * step];
    for (int t = 0; t < T; ++t)
      for (int k = 0; k < NV; ++k) {
        const V here = *reinterpret_cast<const V*>(row + t * next + k * L);
        for (int p = 0; p < P; ++p) sum[p][t][k] += here * value[p];
      }
  }
  for (int p = 0; p < P; ++p)
    for (int t = 0; t < T; ++t)
      for (int k = 0; k < NV; ++k)
        *reinterpret_cast<V*>(acc + p * NV * L - t * below + k * L) = sum[p][t][k];
}

// Add to NV vectors of output channels of n pixels what one c gives by T taps, `below` apart in the
// output and `next` in the slabs: then the splines' values are loaded once for all of them.
template <int L, int NV, int T>
void forward_run(const float* slab, int64_t next, int64_t rows, const float* v, int64_t stride,
                 const float* base, const int32_t* interval, int64_t step, int64_t n, float* acc,
                 int64_t below) {
  typedef typename Vector<L>::type V;
  if constexpr (!SPLINES) {
    constexpr int P = LANES == 16 ? 4 : 2;
    int64_t j = 0;
    for (; j + P <= n; j += P, v += P * step, base += P * step, acc += P * NV * L)
      forward_some<L, NV, T, P>(slab, next, rows, v, stride, base, step, acc, below);
    for (; j < n; ++j, v += step, base += step, acc += NV * L)
      forward_some<L, NV, T, 1>(slab, next, rows, v, stride, base, step, acc, below);
    return;
  }
  V base_row[T][NV];
  for (int t = 0; t < T; ++t)
    for (int k = 0; k < NV; ++k)
      base_row[t][k] = *reinterpret_cast<const V*>(slab + t * next + (rows - 1) * NV * L + k * L);
  for (int64_t j = 0; j < n; ++j, acc += NV * L) {
    const int64_t p = j * step;
    const float* row = slab + interval[p] * (NV * L);
    const V zero = {}, base_value = zero + base[p];
    V value[K + 1];
    for (int m = 0; m <= K; ++m) value[m] = zero + v[m * stride + p];
    for (int t = 0; t < T; ++t)
      for (int k = 0; k < NV; ++k) {
        float* to = acc - t * below + k * L;
        V sum = *reinterpret_cast<const V*>(to) + base_row[t][k] * base_value;
        for (int m = 0; m <= K; ++m)
          sum += *reinterpret_cast<const V*>(row + t * next + (m * NV + k) * L) * value[m];
        *reinterpret_cast<V*>(to) = sum;
      }
  }
}

// The same with numbers of vectors and of taps that are not known before.
template <int L, int T>
auto forward_run_of(int vectors) {
  if (vectors == 2) return forward_run<L, 2, T>;
  if (vectors == 3) return forward_run<L, 3, T>;
  if (vectors == 4) return forward_run<L, 4, T>;
  return forward_run<L, 1, T>;
}

template <int L>
auto forward_run_of(int vectors, int64_t taps) {
  if (taps == 2) return forward_run_of<L, 2>(vectors);
  if (taps == 3) return forward_run_of<L, 3>(vectors);
  return forward_run_of<L, 1>(vectors);
}

// What the backward pass knows of a value lies in a tile of LANES values: first spline 0 of all,
// then spline 1, ..., the slopes of the splines, the base, and its slope.
constexpr int64_t SLOPE = (K + 1) * LANES, BASE = 2 * SLOPE, BASE_SLOPE = BASE + LANES;
constexpr int64_t TILE = BASE_SLOPE + LANES;

struct Sorted {  // one value, in the order of intervals
  // Which it is, where it lies in the tiles, and where its part of the output's gradient.
  int32_t pixel, tile, at;
};

// Gradient of the slab rows from a run of values of one interval.
template <int L, int NV>
void weight_run(const Sorted* run, int64_t n, const float* tiles, const float* grad, int64_t each,
                float* rows, float* base_row) {
  typedef typename Vector<L>::type V;
  V sum[K + 2][NV];
  for (int k = 0; k < NV; ++k) {
    for (int m = 0; m <= K; ++m) sum[m][k] = *reinterpret_cast<V*>(rows + (m * NV + k) * L);
    sum[K + 1][k] = *reinterpret_cast<V*>(base_row + k * L);
  }
  for (int64_t j = 0; j < n; ++j) {
    const float *g = grad + run[j].at * each, *value = tiles + run[j].tile;
    for (int k = 0; k < NV; ++k) {
      const V here = *reinterpret_cast<const V*>(g + k * L);
      for (int m = 0; m <= K; ++m) sum[m][k] += here * value[m * LANES];
      sum[K + 1][k] += here * value[BASE];
    }
  }
  for (int k = 0; k < NV; ++k) {
    for (int m = 0; m <= K; ++m) *reinterpret_cast<V*>(rows + (m * NV + k) * L) = sum[m][k];
    *reinterpret_cast<V*>(base_row + k * L) = sum[K + 1][k];
  }
}

// Gradient of a run of values of one interval, still spread over the lanes, and added to what is
// there unless it is the first. The last vector may hold other numbers beyond the lanes of the
// slab, which `used` takes away.
template <int L, int NV, bool SPLIT>
void input_run(const Sorted* run, int64_t n, const float* tiles, const float* grad, int64_t each,
               const float* rows, const float* base_row, int64_t lanes, bool first, float* spread,
               float* spread_base) {
  typedef typename Vector<L>::type V;
  typename Vector<L>::integers used;
  for (int lane = 0; lane < L; ++lane) used[lane] = (NV - 1) * L + lane < lanes ? -1 : 0;
  V w[K + 2][NV];
  for (int k = 0; k < NV; ++k) {
    for (int m = 0; m <= K; ++m) w[m][k] = *reinterpret_cast<const V*>(rows + (m * NV + k) * L);
    w[K + 1][k] = *reinterpret_cast<const V*>(base_row + k * L);
  }
  for (int64_t j = 0; j < n; ++j) {
    const float *g = grad + run[j].at * each, *value = tiles + run[j].tile;
    V sum = {}, base_sum = {};
    if (!first) {
      sum = *reinterpret_cast<V*>(spread + j * L);
      if (SPLIT) base_sum = *reinterpret_cast<V*>(spread_base + j * L);
    }
    for (int k = 0; k < NV; ++k) {
      V here = *reinterpret_cast<const V*>(g + k * L);
      if (k == NV - 1) here = (V)((typename Vector<L>::integers)here & used);
      V slope = w[0][k] * value[SLOPE];
      for (int m = 1; m <= K; ++m) slope += w[m][k] * value[SLOPE + m * LANES];
      if (SPLIT)
        base_sum += w[K + 1][k] * here;
      else
        slope += w[K + 1][k] * value[BASE_SLOPE];
      sum += slope * here;
    }
    *reinterpret_cast<V*>(spread + j * L) = sum;
    if (SPLIT) *reinterpret_cast<V*>(spread_base + j * L) = base_sum;
  }
}

// Both at once, where the registers suffice for the rows and for their gradient.
template <int L, int NV>
void both_run(const Sorted* run, int64_t n, const float* tiles, const float* grad, int64_t each,
              float* grad_rows, float* grad_base_row, const float* rows, const float* base_row,
              int64_t lanes, bool first, float* spread) {
  typedef typename Vector<L>::type V;
  typename Vector<L>::integers used;
  for (int lane = 0; lane < L; ++lane) used[lane] = (NV - 1) * L + lane < lanes ? -1 : 0;
  V sum[K + 2][NV], w[K + 2][NV];
  for (int k = 0; k < NV; ++k) {
    for (int m = 0; m <= K; ++m) {
      sum[m][k] = *reinterpret_cast<V*>(grad_rows + (m * NV + k) * L);
      w[m][k] = *reinterpret_cast<const V*>(rows + (m * NV + k) * L);
    }
    sum[K + 1][k] = *reinterpret_cast<V*>(grad_base_row + k * L);
    w[K + 1][k] = *reinterpret_cast<const V*>(base_row + k * L);
  }
  for (int64_t j = 0; j < n; ++j) {
    const float *g = grad + run[j].at * each, *value = tiles + run[j].tile;
    V total = {};
    if (!first) total = *reinterpret_cast<V*>(spread + j * L);
    for (int k = 0; k < NV; ++k) {
      V here = *reinterpret_cast<const V*>(g + k * L);
      if (k == NV - 1) here = (V)((typename Vector<L>::integers)here & used);
      V slope = w[0][k] * value[SLOPE];
      for (int m = 1; m <= K; ++m) slope += w[m][k] * value[SLOPE + m * LANES];
      slope += w[K + 1][k] * value[BASE_SLOPE];
      total += slope * here;
      for (int m = 0; m <= K; ++m) sum[m][k] += here * value[m * LANES];
      sum[K + 1][k] += here * value[BASE];
    }
    *reinterpret_cast<V*>(spread + j * L) = total;
  }
  for (int k = 0; k < NV; ++k) {
    for (int m = 0; m <= K; ++m) *reinterpret_cast<V*>(grad_rows + (m * NV + k) * L) = sum[m][k];
    *reinterpret_cast<V*>(grad_base_row + k * L) = sum[K + 1][k];
  }
}

// Add up what lies side by side: pixels of [kx][o] lanes, one row of the image, to pixels of o.
template <int L>
void fold(const Plan& d, const float* from, float* to) {
  typedef typename Vector<L>::type V;
  const int64_t go = d.group_out, lanes = d.padded, folded = Plan::padded_to(go, L);
  for (int64_t j = 0; j < d.out_w; ++j, to += folded)
    for (int64_t o = 0; o < go; o += L) {
      const float* here = from + j * lanes + o;
      V sum = *reinterpret_cast<const V*>(here);
      for (int64_t kx = 1; kx < d.kernel_w; ++kx)
        sum += *reinterpret_cast<const V*>(here + kx * (lanes + go));
      *reinterpret_cast<V*>(to + o) = sum;
    }
}

template <int L>
void forward(const Plan& d, const float* x, const float* base, Weights<const float> weight,
             float* y, Outcome& outcome) {
  const int64_t gi = d.group_in, go = d.group_out, padded = d.padded, taps = d.taps;
  const bool wide = d.wide;
  const int64_t columns = wide ? d.width : d.out_w;  // of what is added up
  const Knots knots(d, outcome);
  const bool pointwise = taps == 1 && d.stride_h == 1 && d.stride_w == 1;
  int64_t most = larger(1, FORWARD_PIXELS / larger(1, d.out_w));
  // Less where threads would have nothing to do; no sum depends on where the output is cut.
  const int64_t shares = larger(1, d.threads / larger(1, d.n * d.groups));
  most = smaller(most, whole((d.out_h + shares - 1) / shares));
  const int64_t pieces = (d.out_h + most - 1) / most;
  // A thread that has one piece makes a channel's slabs in its own cache, and waits for nobody.
  const bool once = d.n * pieces <= d.threads;
  Buffer<float> all_slabs(once ? 1 : d.channels * d.in_channel, outcome);
  const int64_t high = (most - 1) * d.stride_h + (d.kernel_h - 1) * d.dilation_h + 1;
  const int64_t stride = whole(high * d.width);
  if (!once) pack_all(d, weight, all_slabs, outcome);
  share_out(d.n * pieces * d.groups, d.threads, [&](kan_share& share) {
    // What follows the last lane is read by `fold`, and dropped.
    Buffer<float> acc(most * columns * padded + L, outcome);
    Buffer<float> v(d.parts * (K + 1) * stride, outcome);
    Buffer<float> values(stride, outcome), bases(stride, outcome);
    Buffer<float> no_base(d.parts > 1 ? stride : 1, outcome);
    Buffer<float> folded(wide ? most * d.out_w * Plan::padded_to(go, L) : 1, outcome);
    Buffer<int32_t> interval(stride, outcome);
    Buffer<float> some_slabs(once ? d.together * d.in_channel : 1, outcome);
    if (d.parts > 1 && no_base) memset(no_base, 0, sizeof(float) * stride);
    for (int64_t index; kan_next(share, &index);) {
      if (outcome.failed()) continue;
      const int64_t group = index % d.groups, piece = index / d.groups % pieces;
      const int64_t n = index / d.groups / pieces;
      const int64_t top = d.out_h * piece / pieces;
      const int64_t count = d.out_h * (piece + 1) / pieces - top;
      const int64_t input_rows = (count - 1) * d.stride_h + (d.kernel_h - 1) * d.dilation_h + 1;
      memset(acc, 0, sizeof(float) * (count * columns * padded + L));
      for (int64_t c = group * gi; c < (group + 1) * gi; ++c) {
        const int64_t nth = (c - group * gi) % d.together;
        const float* slabs = once ? some_slabs + nth * d.in_channel : all_slabs + c * d.in_channel;
        if (once && nth == 0)
          pack(d, c, smaller(c + d.together, (group + 1) * gi), weight, some_slabs, outcome);
        const int64_t row = top * d.stride_h, total = input_rows * d.width;
        gather_padded(d, x, d.x, n, row, c, input_rows, values);
        if (base)
          gather_padded(d, base, d.base, n, row, c, input_rows, bases);
        else
          silu(values, total, LANES, bases, nullptr);
        if (!finite(values, total) || !finite(bases, total)) outcome.fail(NOT_FINITE);
        evaluate<false>(d, knots, values, total, stride, (K + 1) * stride, LANES, v, nullptr,
                        interval);
        // Where rows of the input follow each other, up to three taps of one column at once.
        const int64_t sideways = wide ? 1 : d.kernel_w;
        for (int64_t side = 0; side < sideways; ++side)
          blocks(padded, L, [&](int64_t o, int vectors) {
            const int64_t width = vectors * L, line = columns * width;
            float* block = acc + o * count * columns;
            const float* slab = slabs + side * d.slab + o * d.rows;
            const auto add = [&](int64_t row, int64_t r, int64_t tap, int64_t together,
                                 int64_t length) {
              const int64_t p = row * d.width + side * d.dilation_w, next = sideways * d.slab;
              for (int64_t part = 0; part < d.parts; ++part) {
                const int64_t row = part * (K + 1);
                forward_run_of<L>(vectors, together)(
                    slab + tap * next + row * width, next, d.rows - row, v + row * stride + p, stride,
                    (part ? no_base : bases) + p, interval + p, wide ? 1 : d.stride_w, length,
                    block + r * line, d.dilation_h * line);
              }
            };
            if (pointwise) return add(0, 0, 0, 1, count * d.width);
            if (d.stride_h > 1) {
              for (int64_t tap = 0; tap < d.kernel_h; ++tap)
                for (int64_t r = 0; r < count; ++r)
                  add(r * d.stride_h + tap * d.dilation_h, r, tap, 1, columns);
              return;
            }
            for (int64_t row = 0; row < input_rows; ++row) {
              int64_t tap = larger(0, (row - count + d.dilation_h) / d.dilation_h);
              const int64_t end = smaller(d.kernel_h, row / d.dilation_h + 1);
              for (int64_t some; tap < end; tap += some) {
                some = smaller(3, end - tap);
                add(row, row - tap * d.dilation_h, tap, some, columns);
              }
            }
          });
      }
      if (wide)
        for (int64_t r = 0; r < count; ++r)
          fold<L>(d, acc + r * columns * padded, folded + r * d.out_w * Plan::padded_to(go, L));
      const float* done = wide ? folded : acc;
      blocks(wide ? Plan::padded_to(go, L) : padded, L, [&](int64_t first, int vectors) {
        const int64_t width = vectors * L, some = smaller(width, go - first);
        for (int64_t r = 0; r < count; ++r) {
          float* to = y + n * d.y[0] + (top + r) * d.y[1] + (group * go + first) * d.y[3];
          const float* from = done + (first * count + r * width) * d.out_w;
          if (d.y[3] == 1)
            for (int64_t j = 0; j < d.out_w; ++j)
              memcpy(to + j * d.y[2], from + j * width, sizeof(float) * some);
          else
            for (int64_t o = 0; o < some; ++o)
              for (int64_t j = 0; j < d.out_w; ++j)
                to[j * d.y[2] + o * d.y[3]] = from[j * width + o];
        }
      });
    }
  });
}

// Sum of L numbers, in four chains.
template <int L>
float total_of(const float* numbers) {
  typedef Vector<4>::type V;
  V sum = *reinterpret_cast<const V*>(numbers);
  for (int k = 4; k < L; k += 4) sum += *reinterpret_cast<const V*>(numbers + k);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// What backward needs of one piece of the input: whole images, or some rows of one.
struct Piece {
  int64_t first, images, top, rows;
};

// Copy one channel of a piece, side by side.
void gather_piece(const float* from, const int64_t strides[4], const Piece& piece, int64_t c,
                  int64_t width, float* to) {
  for (int64_t image = 0; image < piece.images; ++image)
    gather(from, strides, piece.first + image, piece.top, c, piece.rows, width,
           to + image * piece.rows * width);
}

// By tap, the sums of the output's gradient over where that tap meets the padding, in some rows of
// the output: of all that is padding a function has the same values.
void sum_padding(const Plan& d, const float* grad, const Piece& piece, int64_t begin_h,
                 int64_t end_h, int64_t group, float* sums) {
  const int64_t go = d.group_out;
  memset(sums, 0, sizeof(float) * d.taps * d.padded);
  for (int64_t tap = 0; tap < d.kernel_h * d.kernel_w; ++tap) {
    const int64_t down = tap / d.kernel_w, right = tap % d.kernel_w;
    float* to = sums + (d.wide ? down * d.padded + right * go : tap * d.padded);
    const int64_t before = d.left - right * d.dilation_w;  // columns of padding, and all up to the
    const int64_t behind = before + d.inner_w;             // right one
    const int64_t begin = smaller(d.out_w, larger(0, (before + d.stride_w - 1) / d.stride_w));
    const int64_t end =
        smaller(d.out_w, larger(begin, (behind + d.stride_w - 1) / d.stride_w));
    for (int64_t n = piece.first; n < piece.first + piece.images; ++n)
      for (int64_t h = begin_h; h < end_h; ++h) {
        const float* line = grad + n * d.y[0] + h * d.y[1] + group * go * d.y[3];
        const int64_t row = h * d.stride_h + down * d.dilation_h - d.top;
        const bool outside = row < 0 || row >= d.inner_h;
        for (int64_t j = 0; j < d.out_w; ++j) {
          if (j == begin && !outside) j = end;
          if (j == d.out_w) break;
          for (int64_t o = 0; o < go; ++o) to[o] += line[j * d.y[2] + o * d.y[3]];
        }
      }
  }
}

template <int L>
void backward(const Plan& d, const float* x, const float* base, const float* slope,
              Weights<const float> weight, const float* grad, float* grad_x, float* grad_base,
              Weights<float> grad_weight, Outcome& outcome) {
  const bool split = grad_base != nullptr;
  const int64_t gi = d.group_in, go = d.group_out, padded = d.padded, taps = d.taps;
  const int64_t in_channel = d.in_channel, each_sum = d.channels * in_channel;
  // 32 vector registers hold both, as far as one or two vectors of channels.
  const bool fused = grad_x && grad_weight && !split && LANES == 16;
  // Pieces of about BACKWARD_PIXELS values in each channel, as many in each slot if they are few.
  const int64_t size = d.inner_h * d.inner_w;
  const int64_t fit = larger(1, BACKWARD_PIXELS / larger(1, size));
  const int64_t most = larger(1, BACKWARD_PIXELS / larger(1, d.inner_w));
  const int64_t cuts = fit > 1 ? 1 : (d.inner_h + most - 1) / most;
  int64_t bundles = larger(1, (d.n + fit - 1) / fit);
  if (bundles > 1) bundles = smaller(d.n, (bundles + SLOTS - 1) / SLOTS * SLOTS);
  const int64_t together = (d.n + bundles - 1) / bundles, pieces = bundles * cuts;
  const int64_t high = cuts > 1 ? most : d.inner_h;
  const int64_t pixels = whole(together * high * d.inner_w);
  const bool wide = d.wide;
  const int64_t above = (d.kernel_h - 1) * d.dilation_h;
  const int64_t left = (d.kernel_w - 1) * d.dilation_w, across = d.inner_w + left;
  // Columns of the output to which the input gives.
  const int64_t begin_w = larger(0, (d.left - left + d.stride_w - 1) / d.stride_w);
  const int64_t end_w = smaller(d.out_w, (d.left + d.inner_w - 1) / d.stride_w + 1);
  const bool counts = grad_weight && d.is_padded();
  // Work is cut by pieces, into slots with a sum each, and by channels.
  const int64_t affordable = larger(1, SLOTS_FLOATS / larger(1, each_sum));
  const int64_t slots = smaller(smaller(SLOTS, affordable), pieces);
  const int64_t cut_c = smaller(gi, larger(1, SLOTS / slots / d.groups));
  // With one piece every channel comes once: its slabs, and the gradient's, are made in the cache.
  const bool once = pieces == 1;
  Buffer<float> all_slabs(grad_x && !once ? each_sum : 1, outcome);
  Buffer<float> all_sums(grad_weight && !once ? slots * each_sum : 1, outcome);
  const Knots knots(d, outcome);
  Buffer<float> values_there(d.parts * (K + 1) * LANES, outcome);
  int32_t interval_there[LANES];  // of the padding, as these values
  if (outcome.failed()) return;
  evaluate<false>(d, knots, NOTHING, LANES, LANES, (K + 1) * LANES, LANES, values_there, nullptr,
                  interval_there);
  if (grad_x && !once) pack_all(d, weight, all_slabs, outcome);
  share_out(slots * d.groups * cut_c, d.threads, [&](kan_share& share) {
    // A run reads whole vectors, beyond the last lane too.
    const int64_t in_frame = together * (high + above) * across * (wide ? go : padded) + MOST * L;
    Buffer<float> g(in_frame, outcome), values(pixels, outcome);
    const int64_t tile = d.parts * TILE;
    Buffer<float> tiles(pixels / LANES * tile, outcome);
    Buffer<int32_t> places(pixels, outcome);   // where each value's part of g lies
    Buffer<int64_t> targets(pixels, outcome);  // where its gradient goes, but for the channel
    Buffer<float> spread(pixels * L, outcome), spread_base(split ? pixels * L : 1, outcome);
    Buffer<int32_t> interval(pixels, outcome), at(d.intervals + 1, outcome);
    Buffer<Sorted> sorted(pixels, outcome);
    Buffer<float> padding(counts ? taps * padded : 1, outcome);
    // One of the base's numbers to the tiles.
    const auto gather_to_tiles = [&](const float* from, const int64_t strides[4],
                                     const Piece& piece, int64_t c, int64_t total, int64_t where) {
      gather_piece(from, strides, piece, c, d.inner_w, values);
      if (!finite(values, total)) outcome.fail(NOT_FINITE);
      for (int64_t p = 0; p < total; p += LANES)
        memcpy(tiles + p / LANES * tile + where, values + p, sizeof(float) * LANES);
    };
    Buffer<float> some_slabs(once ? d.together * in_channel : 1, outcome);
    Buffer<float> some_sums(once ? d.together * in_channel : 1, outcome);
    // Of the base each value has one: in the tile of the first part.
    for (int64_t at = 0; d.parts > 1 && tiles && at < pixels / LANES * tile; at += TILE)
      memset(tiles + at + BASE, 0, sizeof(float) * 2 * LANES);
    for (int64_t task; kan_next(share, &task);) {
      if (outcome.failed()) continue;
      const int64_t part = task % cut_c, group = task / cut_c % d.groups;
      const int64_t slot = task / cut_c / d.groups;
      const int64_t c0 = group * gi + gi * part / cut_c;
      const int64_t c1 = group * gi + gi * (part + 1) / cut_c;
      if (grad_weight && !once)
        memset(all_sums + slot * each_sum + c0 * in_channel, 0,
               sizeof(float) * (c1 - c0) * in_channel);
      const int64_t index1 = pieces * (slot + 1) / slots;
      for (int64_t index = pieces * slot / slots; index < index1; ++index) {
        const int64_t bundle = index / cuts, cut = index % cuts;
        Piece piece = {d.n * bundle / bundles, 0, d.inner_h * cut / cuts, 0};
        piece.images = d.n * (bundle + 1) / bundles - piece.first;
        piece.rows = d.inner_h * (cut + 1) / cuts - piece.top;
        // The output's gradient, o innermost, spread by the strides, in a frame of zeros. For
        // taps side by side the columns run backwards: then what a pixel gave to, by tap, lies
        // in one piece.
        const int64_t tall = piece.rows + above;
        const int64_t frame = piece.images * tall * across;
        memset(g, 0, sizeof(float) * (frame * (wide ? go : padded) + MOST * L));
        for (int64_t image = 0; image < piece.images; ++image)
          for (int64_t h = 0; h < d.out_h; ++h) {
            const int64_t row = h * d.stride_h - d.top - piece.top + above;
            if (row < 0 || row >= tall) continue;
            const float* from = grad + (piece.first + image) * d.y[0] + h * d.y[1];
            const int64_t line = (image * tall + row) * across, pixel = line + left - d.left;
            if (wide) {
              float* last = g + (line + d.left + d.inner_w - 1) * go;
              for (int64_t o = 0; o < go; ++o)
                for (int64_t j = begin_w; j < end_w; ++j)
                  last[o - j * go] = from[j * d.y[2] + (group * go + o) * d.y[3]];
              continue;
            }
            blocks(padded, L, [&](int64_t first, int vectors) {
              const int64_t width = vectors * L, some = smaller(width, go - first);
              float* to = g + first * frame + pixel * width;
              for (int64_t o = 0; o < some; ++o) {
                const float* line = from + (group * go + first + o) * d.y[3];
                for (int64_t j = begin_w; j < end_w; ++j)
                  to[j * d.stride_w * width + o] = line[j * d.y[2]];
              }
            });
          }
        if (!finite(g, frame * (wide ? go : padded))) outcome.fail(NOT_FINITE);
        if (counts) {
          sum_padding(d, grad, piece, d.out_h * cut / cuts, d.out_h * (cut + 1) / cuts, group,
                      padding);
          if (!finite(padding, taps * padded)) outcome.fail(NOT_FINITE);
        }
        const int64_t total = piece.images * piece.rows * d.inner_w;
        for (int64_t image = 0, p = 0; image < piece.images; ++image)
          for (int64_t r = 0; r < piece.rows; ++r)
            for (int64_t j = 0; j < d.inner_w; ++j, ++p) {
              const int64_t column = wide ? d.inner_w - 1 - j : j;
              places[p] = static_cast<int32_t>((image * tall + r) * across + column);
              targets[p] = (piece.first + image) * d.x[0] + (piece.top + r) * d.x[1] + j * d.x[2];
            }
        for (int64_t c = c0; c < c1; ++c) {
          const int64_t nth = (c - c0) % d.together, end = smaller(c - nth + d.together, c1);
          const float* slabs = once ? some_slabs + nth * in_channel : all_slabs + c * in_channel;
          float* sums =
              once ? some_sums + nth * in_channel : all_sums + slot * each_sum + c * in_channel;
          if (once && grad_x && nth == 0) pack(d, c, end, weight, some_slabs, outcome);
          if (once && grad_weight) memset(sums, 0, sizeof(float) * in_channel);
          if (base) gather_to_tiles(base, d.base, piece, c, total, BASE);
          if (slope) gather_to_tiles(slope, d.slope, piece, c, total, BASE_SLOPE);
          gather_piece(x, d.x, piece, c, d.inner_w, values);
          if (!finite(values, total)) outcome.fail(NOT_FINITE);
          if (!base) silu(values, total, tile, tiles + BASE, tiles + BASE_SLOPE);
          evaluate<true>(d, knots, values, total, LANES, TILE, tile, tiles, tiles + SLOPE, interval);
          // Counting sort by interval.
          const int64_t intervals = d.intervals;
          memset(at, 0, sizeof(int32_t) * (intervals + 1));
          for (int64_t p = 0; p < total; ++p) ++at[interval[p] + 1];
          for (int64_t i = 0; i < intervals; ++i) at[i + 1] += at[i];
          for (int64_t p = 0; p < total; ++p)
            sorted[at[interval[p]]++] = {static_cast<int32_t>(p),
                                         static_cast<int32_t>(p / LANES * tile + p % LANES),
                                         places[p]};
          for (int64_t tap = 0; tap < taps; ++tap) {
            const int64_t down = wide ? tap : tap / d.kernel_w;
            const int64_t right = wide ? 0 : tap % d.kernel_w;
            const int64_t shift =
                (above - down * d.dilation_h) * across + (wide ? 0 : left - right * d.dilation_w);
            blocks(padded, L, [&](int64_t o, int vectors) {
              auto to_weight = weight_run<L, 1>;
              auto to_input = split ? input_run<L, 1, true> : input_run<L, 1, false>;
              if (vectors == 2) {
                to_weight = weight_run<L, 2>;
                to_input = split ? input_run<L, 2, true> : input_run<L, 2, false>;
              } else if (vectors == 3) {
                to_weight = weight_run<L, 3>;
                to_input = split ? input_run<L, 3, true> : input_run<L, 3, false>;
              } else if (vectors == 4) {
                to_weight = weight_run<L, 4>;
                to_input = split ? input_run<L, 4, true> : input_run<L, 4, false>;
              }
              const int64_t width = vectors * L, slab = tap * d.slab + o * d.rows;
              const int64_t last = (d.rows - 1) * width;
              const int64_t each = wide ? go : width;  // numbers per pixel of g
              const float* here = g + o * frame + shift * each;
              const bool first = tap == 0 && o == 0;
              if (counts) {
                float* to = sums + slab + interval_there[0] * width;
                for (int64_t m = 0; m < d.parts * (K + 1); ++m)
                  for (int64_t lane = 0; lane < width; ++lane)
                    to[m * width + lane] +=
                        values_there[m * LANES] * padding[tap * padded + o + lane];
              }
              // A run of values of one interval, or a part of the functions of all.
              const auto add = [&](int64_t begin, int64_t count, int64_t row, int64_t part) {
                const Sorted* run = sorted + begin;
                const float *tile_there = tiles + part * TILE, *rows = slabs + slab;
                const float* base_row = part ? NOTHING : rows + last;
                float *to = sums + slab, *to_spread = spread + begin * L;
                const bool start = first && part == 0;
                if (fused && vectors <= (K <= 3 ? 2 : 1)) {
                  const auto both = vectors == 1 ? both_run<L, 1> : both_run<L, 2>;
                  both(run, count, tile_there, here, each, to + row * width, to + last,
                       rows + row * width, base_row, d.in_slab - o, start, to_spread);
                  return;
                }
                if (grad_weight)
                  to_weight(run, count, tile_there, here, each, to + row * width, to + last);
                if (grad_x)
                  to_input(run, count, tile_there, here, each, rows + row * width, base_row,
                           d.in_slab - o, start, to_spread, spread_base + (split ? begin * L : 0));
              };
              for (int64_t part = 0; part < d.parts; ++part)
                for (int64_t i = 0, begin = 0; i < intervals; begin = at[i], ++i)
                  if (at[i] > begin) add(begin, at[i] - begin, i + part * (K + 1), part);
            });
          }
          if (once && grad_weight && c + 1 == end) unpack(d, c - nth, end, some_sums, grad_weight);
          if (!grad_x) continue;
          for (int64_t p = 0; p < total; ++p) {
            const int64_t to = targets[sorted[p].pixel] + c * d.x[3];
            grad_x[to] = total_of<L>(spread + p * L);
            if (split) grad_base[to] = total_of<L>(spread_base + p * L);
          }
        }
      }
    }
  });
  if (!grad_weight || once || outcome.failed()) return;
  each_channels(d, threads_for(d, slots * each_sum), [&](int64_t begin, int64_t end) {
    float* sum = all_sums + begin * in_channel;
    for (int64_t slot = 1; slot < slots; ++slot)
      for (int64_t j = 0; j < (end - begin) * in_channel; ++j) sum[j] += sum[slot * each_sum + j];
    unpack(d, begin, end, sum, grad_weight);
  });
}

}  // namespace

#define JOINED(name, level, order) name##_##level##_##order
#define NAMED(name, level, order) JOINED(name, level, order)

// Both return what the call came to; where that is not 0, what they wrote means nothing.
KAN_PUBLIC int64_t NAMED(kan_forward, LEVEL, ORDER)(const Problem* d, const double* knots,
                                                    const float* x, const float* base,
                                                    const float* base_weight,
                                                    const float* spline_weight, float* y) {
  Outcome outcome;
  const Plan plan(*d, knots);
  const auto run = plan.lanes == LANES ? forward<LANES> : forward<8>;
  run(plan, x, base, {base_weight, spline_weight}, y, outcome);
  return outcome.value;
}

// grad_x is laid out as x. With grad_base the base's share is not in grad_x but there, laid out as
// x too, and slope is null. Null where a gradient is not wanted. Without base it is SiLU.
KAN_PUBLIC int64_t NAMED(kan_backward, LEVEL,
                         ORDER)(const Problem* d, const double* knots, const float* x,
                                const float* base, const float* slope, const float* base_weight,
                                const float* spline_weight, const float* grad, float* grad_x,
                                float* grad_base, float* grad_base_weight,
                                float* grad_spline_weight) {
  Outcome outcome;
  const Plan plan(*d, knots);
  const auto run = plan.lanes == LANES ? backward<LANES> : backward<8>;
  run(plan, x, base, slope, {base_weight, spline_weight}, grad, grad_x, grad_base,
      {grad_base_weight, grad_spline_weight}, outcome);
  return outcome.value;
}
