// See winograd.h.
//
// The polynomials are taken at 0, +-5/8, +-3/2 and infinity. The customary 0, +-1, +-2 lose twice
// as many digits (relative RMS error in bfloat16 at 64 channels 0.010 instead of 0.023); 5/8 and
// 3/2 are near the best that a search found, and every constant of the transforms is exact in
// float32.
#include "backend/cpu/winograd.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "backend/cpu/lanes.h"
#include "backend/cpu/simd.h"
#include "base/checked.h"

namespace mirror {
namespace {

using dnnl::memory;

constexpr int side = 4;          // of a tile of results
constexpr int patch = side + 2;  // of the input it depends on
constexpr int cells = patch * patch;
constexpr float a = 0.625f, b = 1.5f;
constexpr float aa = a * a, bb = b * b;

// Six samples times B^T.
MIRROR_INLINE void enter(const Lanes (&d)[patch], Lanes (&out)[patch]) {
    out[0] = aa * bb * d[0] - (aa + bb) * d[2] + d[4];
    const Lanes even_a = d[4] - bb * d[2], odd_a = a * (d[3] - bb * d[1]);
    out[1] = even_a + odd_a;
    out[2] = even_a - odd_a;
    const Lanes even_b = d[4] - aa * d[2], odd_b = b * (d[3] - aa * d[1]);
    out[3] = even_b + odd_b;
    out[4] = even_b - odd_b;
    out[5] = aa * bb * d[1] - (aa + bb) * d[3] + d[5];
}

// Six products times A^T.
MIRROR_INLINE void leave(const Lanes (&m)[patch], Lanes (&out)[side]) {
    const Lanes even_a = m[1] + m[2], odd_a = a * (m[1] - m[2]);
    const Lanes even_b = m[3] + m[4], odd_b = b * (m[3] - m[4]);
    out[0] = m[0] + even_a + even_b;
    out[1] = odd_a + odd_b;
    out[2] = aa * even_a + bb * even_b;
    out[3] = aa * odd_a + bb * odd_b + m[5];
}

template <class T>
MIRROR_INLINE void enter_channels(
    const T* const (&pixels)[cells], int c, int count, T* out, int64_t step) {
    Lanes half[patch][patch];
    for (int x = 0; x < patch; ++x) {
        Lanes column[patch], turned[patch];
        for (int y = 0; y < patch; ++y) column[y] = load(pixels[y * patch + x] + c, count);
        enter(column, turned);
        for (int y = 0; y < patch; ++y) half[y][x] = turned[y];
    }
    for (int y = 0; y < patch; ++y) {
        Lanes turned[patch];
        enter(half[y], turned);
        for (int x = 0; x < patch; ++x) store(turned[x], out + c + (y * patch + x) * step, count);
    }
}

// pixels: of the patch, each `channels` values. out: the first of 36 rows, `step` elements apart.
template <class T>
MIRROR_SIMD void enter_tile(const T* const (&pixels)[cells], int channels, T* out, int64_t step) {
    int c = 0;
    for (; c + lanes <= channels; c += lanes) enter_channels(pixels, c, lanes, out, step);
    if (c < channels) enter_channels(pixels, c, channels - c, out, step);
}

template <class T>
MIRROR_INLINE void leave_channels(const float* products,
                                  int64_t step,
                                  const float* bias,
                                  bool relu,
                                  int c,
                                  int count,
                                  T* const (&pixels)[side * side]) {
    Lanes half[side][patch];
    for (int x = 0; x < patch; ++x) {
        Lanes column[patch], turned[side];
        for (int y = 0; y < patch; ++y)
            column[y] = load(products + c + (y * patch + x) * step, count);
        leave(column, turned);
        for (int y = 0; y < side; ++y) half[y][x] = turned[y];
    }
    const Lanes shift = load(bias + c, count);
    for (int y = 0; y < side; ++y) {
        Lanes row[side];
        leave(half[y], row);
        for (int x = 0; x < side; ++x) {
            T* pixel = pixels[y * side + x];
            if (!pixel) continue;
            const Lanes value = row[x] + shift;
            store(relu ? positive(value) : value, pixel + c, count);
        }
    }
}

// products: the first of 36 rows, `step` floats apart. pixels: of the tile, null outside the map.
template <class T>
MIRROR_SIMD void leave_tile(const float* products,
                            int64_t step,
                            int channels,
                            const float* bias,
                            bool relu,
                            T* const (&pixels)[side * side]) {
    int c = 0;
    for (; c + lanes <= channels; c += lanes)
        leave_channels(products, step, bias, relu, c, lanes, pixels);
    if (c < channels) leave_channels(products, step, bias, relu, c, channels - c, pixels);
}

int64_t tiles_along(int length) {
    return (length + side - 1) / side;
}

int64_t tile_count(const WindowShape& shape) {
    return shape.n * tiles_along(shape.out_h()) * tiles_along(shape.out_w());
}

// The kernel's transform G at one of the six points.
void kernel_row(int i, double (&row)[3]) {
    constexpr double points[] = {0, a, -a, b, -b};
    if (i == patch - 1) {
        row[0] = row[1] = 0;
        row[2] = 1;
        return;
    }
    double scale = 1;
    for (int j = 0; j < patch - 1; ++j)
        if (j != i) scale *= points[i] - points[j];
    for (int k = 0; k < 3; ++k) row[k] = std::pow(points[i], k) / scale;
}

constexpr size_t page(size_t bytes) {
    return (bytes + 4095) / 4096 * 4096;
}

template <class T>
constexpr memory::data_type type_of() {
    return std::is_same_v<T, float> ? memory::data_type::f32 : memory::data_type::bf16;
}

memory::desc matrices(memory::data_type type, int rows, int columns) {
    return {{cells, rows, columns}, type, memory::format_tag::abc};
}

}  // namespace

template <class T>
std::optional<Winograd<T>> Winograd<T>::make(const WindowShape& shape,
                                             bool relu,
                                             const std::string& name) {
    // Fewer channels spend their time on the transforms, fewer tiles on reading the weights, which
    // are four times the direct ones. Per image, so that its company changes nothing.
    constexpr int least_channels = 32;
    constexpr int64_t least_tiles = 16;
    const mirror_window& window = shape.window;
    if (window.kernel_h != 3 || window.kernel_w != 3 || window.stride_h != 1 ||
        window.stride_w != 1 || shape.in_c < least_channels || shape.out_c < least_channels ||
        tiles_along(shape.out_h()) * tiles_along(shape.out_w()) < least_tiles)
        return std::nullopt;
    // Enough tiles to amortise reading the weights, few enough to stay in the caches; chunks of
    // even size.
    constexpr int64_t most_rows = 196;
    const int64_t tiles = tile_count(shape);
    const int64_t chunks = (tiles + most_rows - 1) / most_rows;
    const int rows = static_cast<int>((tiles + chunks - 1) / chunks);
    return dnnl_guard(name, [&]() -> std::optional<Winograd> {
        const dnnl::matmul::desc desc(
            matrices(type_of<T>(), rows, shape.in_c),
            {{cells, shape.in_c, shape.out_c}, type_of<T>(), memory::format_tag::any},
            matrices(memory::data_type::f32, rows, shape.out_c));
        dnnl::matmul::primitive_desc result(desc, dnnl_user_scratchpad(), dnnl_engine(), true);
        if (!result || std::string_view(result.impl_info_str()).starts_with("ref"))
            return std::nullopt;
        dnnl_report(name, result.impl_info_str());
        return Winograd(shape, relu, rows, std::move(result));
    });
}

template <class T>
std::vector<float> Winograd<T>::transform(const float* hwio) const {
    const size_t matrix = checked_size("a kernel", shape_.in_c, shape_.out_c);
    std::vector<float> result(checked_size("Winograd weights", cells, shape_.in_c, shape_.out_c));
#pragma omp parallel for schedule(static)
    for (int cell = 0; cell < cells; ++cell) {
        double rows[3], columns[3];
        kernel_row(cell / patch, rows);
        kernel_row(cell % patch, columns);
        float* out = result.data() + static_cast<size_t>(cell) * matrix;
        for (size_t i = 0; i < matrix; ++i) {
            double sum = 0;
            for (int ky = 0; ky < 3; ++ky)
                for (int kx = 0; kx < 3; ++kx)
                    sum += rows[ky] * columns[kx] *
                           hwio[static_cast<size_t>(ky * 3 + kx) * matrix + i];
            out[i] = static_cast<float>(sum);
        }
    }
    return result;
}

template <class T>
memory::desc Winograd<T>::plain_weights() const {
    return matrices(memory::data_type::f32, shape_.in_c, shape_.out_c);
}

template <class T>
size_t Winograd<T>::scratch_bytes() const {
    return page(checked_size("Winograd input", cells, rows_, shape_.in_c, sizeof(T))) +
           page(checked_size("Winograd products", cells, rows_, shape_.out_c, sizeof(float))) +
           desc_.scratchpad_desc().get_size();
}

template <class T>
void Winograd<T>::run(dnnl::stream& stream,
                      const T* source,
                      const memory& weights,
                      const float* bias,
                      T* target,
                      int64_t stride,
                      std::byte* scratch) const {
    const WindowShape& s = shape_;
    const int out_h = s.out_h(), out_w = s.out_w();
    const int64_t across = tiles_along(out_w), per_image = across * tiles_along(out_h);
    const int64_t tiles = tile_count(s);
    const int64_t in_step = static_cast<int64_t>(rows_) * s.in_c;
    const int64_t out_step = static_cast<int64_t>(rows_) * s.out_c;

    auto* input = reinterpret_cast<T*>(scratch);
    scratch += page(static_cast<size_t>(cells * in_step) * sizeof(T));
    auto* products = reinterpret_cast<float*>(scratch);
    scratch += page(static_cast<size_t>(cells * out_step) * sizeof(float));
    const dnnl::engine& engine = dnnl_engine();
    const std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, memory(desc_.src_desc(), engine, input)},
        {DNNL_ARG_WEIGHTS, weights},
        {DNNL_ARG_DST, memory(desc_.dst_desc(), engine, products)},
        {DNNL_ARG_SCRATCHPAD, memory(desc_.scratchpad_desc(), engine, scratch)}};

    for (int64_t first = 0; first < tiles; first += rows_) {
        const int64_t count = std::min<int64_t>(rows_, tiles - first);
#pragma omp parallel for schedule(static)
        for (int64_t row = 0; row < count; ++row) {
            const int64_t image = (first + row) / per_image, tile = (first + row) % per_image;
            const int64_t top = tile / across * side - s.window.pad_top;
            const int64_t left = tile % across * side - s.window.pad_left;
            const T* pixels[cells];
            for (int i = 0; i < cells; ++i) {
                const int64_t y = top + i / patch, x = left + i % patch;
                const bool inside = y >= 0 && y < s.h && x >= 0 && x < s.w;
                pixels[i] =
                    inside ? source + ((image * s.h + y) * s.w + x) * s.in_c : zeros_.data();
            }
            enter_tile(pixels, s.in_c, input + row * s.in_c, in_step);
        }
        matmul_.execute(stream, arguments);
        stream.wait();
#pragma omp parallel for schedule(static)
        for (int64_t row = 0; row < count; ++row) {
            const int64_t image = (first + row) / per_image, tile = (first + row) % per_image;
            const int64_t top = tile / across * side, left = tile % across * side;
            T* pixels[side * side];
            for (int i = 0; i < side * side; ++i) {
                const int64_t y = top + i / side, x = left + i % side;
                const bool inside = y < out_h && x < out_w;
                pixels[i] = inside ? target + ((image * out_h + y) * out_w + x) * stride : nullptr;
            }
            leave_tile(products + row * s.out_c, out_step, s.out_c, bias, relu_, pixels);
        }
    }
}

template class Winograd<float>;
template class Winograd<bfloat16>;

}  // namespace mirror
