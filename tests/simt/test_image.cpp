// preprocess_*, pack_*, unpack_*: every pixel format, margins, steps and types.
#include "backend/resize.h"
#include "harness.h"
#include "image/pack.cu"
#include "image/preprocess.cu"
#include "kernel_fixture.h"

namespace {

struct Photo {
    int height, width, format, target_h, target_w, step, channels, top, left, extra;  // extra: pixels after a row
    int fit = MIRROR_FIT_CROP;
};
constexpr Photo kPhotos[] = {
    {30, 41, 0, 16, 16, 1, 8, 0, 0, 0}, {17, 9, 1, 24, 24, 1, 4, 3, 2, 5}, {50, 33, 2, 20, 31, 2, 4, 1, 1, 0},
    {12, 12, 3, 33, 9, 1, 16, 0, 3, 1}, {1, 1, 0, 5, 7, 1, 4, 0, 0, 0},    {40, 64, 0, 40, 64, 4, 8, 2, 0, 3},
    {30, 41, 0, 16, 16, 1, 8, 0, 0, 0, MIRROR_FIT_WHOLE}, {9, 50, 2, 33, 21, 2, 4, 1, 1, 0, MIRROR_FIT_WHOLE},
};

// The formula in double from float32 taps: those decide which pixels are blended and are part of the definition.
double preprocess_ref(const PreprocessParams& p, int y, int x, int channel) {
    const auto tap = [](int side, int resized, int at, int& low, int& high) {
        const float position = static_cast<float>(at) * (static_cast<float>(side) / static_cast<float>(resized));
        low = std::min(static_cast<int>(position), side - 1), high = std::min(low + 1, side - 1);
        return static_cast<double>(position) - low;
    };
    int rows[2], columns[2];
    const double ty = tap(p.height, p.resized_height, p.crop_top + y * p.out.step, rows[0], rows[1]);
    const double tx = tap(p.width, p.resized_width, p.crop_left + x * p.out.step, columns[0], columns[1]);
    const int bytes[] = {3, 4, 4, 1};
    const int offset = p.format == 3 ? 0 : p.format == 2 ? 2 - channel : channel;
    const auto at = [&](int i, int j) {
        return static_cast<double>(p.image[rows[i] * p.stride + columns[j] * bytes[p.format] + offset]);
    };
    const double top = at(0, 0) + (at(0, 1) - at(0, 0)) * tx, bottom = at(1, 0) + (at(1, 1) - at(1, 0)) * tx;
    return top + (bottom - top) * ty - (channel == 0 ? p.mean_r : channel == 1 ? p.mean_g : p.mean_b);
}

template <class T>
void check_preprocess(void (*kernel)(const PreprocessParams), const Photo& photo) {
    test::Rng rng(static_cast<uint64_t>(photo.width));
    const mirror::Resize resize =
        mirror::resize_geometry(photo.height, photo.width, photo.target_h, photo.target_w, photo.fit);
    const int bytes[] = {3, 4, 4, 1};
    PreprocessParams p{};
    p.width = photo.width, p.height = photo.height, p.format = photo.format;
    p.stride = photo.width * bytes[photo.format] + 7;
    std::vector<unsigned char> image(static_cast<size_t>(p.stride) * photo.height);
    for (unsigned char& b : image) b = static_cast<unsigned char>(rng.index(256));
    p.image = image.data();
    p.resized_height = static_cast<int>(resize.height), p.resized_width = static_cast<int>(resize.width);
    p.crop_top = static_cast<int>(resize.top), p.crop_left = static_cast<int>(resize.left);
    p.mean_r = 124, p.mean_g = 117, p.mean_b = 104;
    InputLayout& out = p.out;
    out.height = (photo.target_h + photo.step - 1) / photo.step,
    out.width = (photo.target_w + photo.step - 1) / photo.step;
    out.row = out.width + photo.left + photo.extra, out.channels = photo.channels;
    out.top = photo.top, out.left = photo.left, out.step = photo.step;
    out.image_stride = static_cast<int64_t>(out.height + photo.top) * out.row * out.channels;
    test::DeviceMemory<T> y(static_cast<size_t>(out.image_stride));
    out.y = y.data();
    const auto after = [&] {
        y.check();
        for (size_t pixel = 0; pixel < y.size() / out.channels; ++pixel) {
            const int iy = static_cast<int>(pixel) / out.row - out.top,
                      ix = static_cast<int>(pixel) % out.row - out.left;
            const size_t first = pixel * out.channels;
            if (iy < 0 || ix < 0 || ix >= out.width) {
                CHECK(y.untouched(first, first + out.channels));
                continue;
            }
            for (int c = 0; c < out.channels; ++c) {  // values up to 255: a few float roundings, one to T
                const double want = c < 3 ? preprocess_ref(p, iy, ix, c) : 0;
                CHECK_NEAR(test::widen(y[first + c]), want, 1e-4 + std::abs(want) * test::unit_roundoff<T>);
            }
        }
    };
    test::run_schedules(
        kernel, preprocess_launch(p), p, [&] { y.reset(); }, after);
}

TEST(Preprocess_F32_MatchesReference) {
    for (const Photo& photo : kPhotos) check_preprocess<float>(preprocess_f32, photo);
}
TEST(Preprocess_F16_MatchesReference) {
    for (const Photo& photo : kPhotos) check_preprocess<f16>(preprocess_f16, photo);
}
TEST(Preprocess_Bf16_MatchesReference) {
    for (const Photo& photo : kPhotos) check_preprocess<bf16>(preprocess_bf16, photo);
}

struct Packing {
    int n, height, width, c, step, channels, top, left, extra;
};
constexpr Packing kPackings[] = {{2, 9, 13, 3, 1, 8, 0, 0, 0},    {3, 8, 7, 3, 2, 4, 3, 3, 2},
                                 {1, 1, 300, 21, 1, 24, 0, 0, 0}, {1, 1, 1, 1, 1, 4, 0, 0, 0},
                                 {2, 5, 5, 3, 4, 4, 1, 0, 0},     {1, 2, 3, 8, 1, 8, 0, 0, 0}};

template <class T>
void check_pack(void (*kernel)(const PackParams), const Packing& s) {
    test::Rng rng;
    const auto values = rng.floats(static_cast<size_t>(s.n) * s.height * s.width * s.c, -200, 200);
    PackParams p{values.data(), s.n, s.height, s.width, s.c, {}};
    InputLayout& out = p.out;
    out.height = (s.height + s.step - 1) / s.step, out.width = (s.width + s.step - 1) / s.step, out.step = s.step;
    out.row = out.width + s.left + s.extra, out.channels = s.channels, out.top = s.top, out.left = s.left;
    const int rows = out.height + s.top + 1;
    out.image_stride = static_cast<int64_t>(rows) * out.row * out.channels;
    test::DeviceMemory<T> y(static_cast<size_t>(s.n * out.image_stride));
    out.y = y.data();
    const auto after = [&] {
        y.check();
        for (size_t i = 0; i < y.size(); ++i) {
            const int c = static_cast<int>(i % out.channels), pixel = static_cast<int>(i / out.channels);
            const int x = pixel % out.row - out.left, row = pixel / out.row % rows - out.top,
                      image = pixel / out.row / rows;
            if (row < 0 || row >= out.height || x < 0 || x >= out.width) {
                CHECK(y.untouched(i, i + 1));
                continue;
            }
            const size_t from = (static_cast<size_t>(image * s.height + row * s.step) * s.width + x * s.step) * s.c + c;
            CHECK_EQ(test::widen(y[i]), test::widen(test::narrow<T>(c < s.c ? values[from] : 0)));
        }
    };
    test::run_schedules(
        kernel, pack_launch(p), p, [&] { y.reset(); }, after);
}
TEST(Pack_RaggedShapes_RoundAndPad) {
    for (const Packing& s : kPackings) {
        check_pack<float>(pack_f32, s);
        check_pack<f16>(pack_f16, s);
        check_pack<bf16>(pack_bf16, s);
    }
}

template <class T>
void check_unpack(void (*kernel)(const UnpackParams), int64_t rows, int pitch, int c) {
    test::Rng rng;
    test::DeviceMemory<T> x(static_cast<size_t>(rows) * pitch);
    test::DeviceMemory<float> y(static_cast<size_t>(rows) * c);
    for (size_t i = 0; i < x.size(); ++i)
        if (static_cast<int>(i % pitch) < c) x[i] = test::narrow<T>(static_cast<float>(rng.uniform(-9, 9)));
    const UnpackParams p{x.data(), y.data(), rows, pitch, c};
    const auto after = [&] {
        y.check();
        for (size_t i = 0; i < y.size(); ++i) CHECK_EQ(y[i], test::widen(x[i / c * pitch + i % c]));
    };
    test::run_schedules(
        kernel, unpack_launch(p), p, [&] { y.reset(); }, after);
}
TEST(Unpack_RaggedShapes_AreExact) {
    check_unpack<float>(unpack_f32, 100, 4, 3);
    check_unpack<f16>(unpack_f16, 37, 16, 13);
    check_unpack<bf16>(unpack_bf16, 5, 264, 257);
    check_unpack<float>(unpack_f32, 1, 4, 1);
}

}  // namespace
