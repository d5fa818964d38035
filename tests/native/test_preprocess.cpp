// Resize, crop, mean: equal to the original bit for bit, in every pixel format and with any stride.
#include "backend/resize.h"
#include "harness.h"
#include "model/safetensors.h"

namespace {

constexpr float kMean[3] = {124, 117, 104};

mirror::SafeTensors golden() {
    return mirror::SafeTensors::open(
        test::source_path("tests/data/preprocess/golden.safetensors").string());
}

std::vector<int32_t> integers(const mirror::Tensor& tensor) {
    std::vector<int32_t> values(tensor.bytes.size() / sizeof(int32_t));
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
}

// The same picture with another pixel format and padded rows.
std::vector<uint8_t> convert(
    const uint8_t* rgb, int width, int height, int32_t format, int64_t stride) {
    std::vector<uint8_t> bytes(static_cast<size_t>(stride * height), 0xEE);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const uint8_t* from = rgb + (static_cast<int64_t>(y) * width + x) * 3;
            uint8_t* row = bytes.data() + y * stride;
            if (format == MIRROR_FORMAT_RGB8) std::copy_n(from, 3, row + 3 * x);
            if (format == MIRROR_FORMAT_RGBA8) std::copy_n(from, 3, row + 4 * x);
            if (format == MIRROR_FORMAT_BGRA8) std::reverse_copy(from, from + 3, row + 4 * x);
            if (format == MIRROR_FORMAT_GRAY8) row[x] = from[1];
        }
    return bytes;
}

TEST(Resize_AllGoldenShapes_AreExact) {
    const auto file = golden();
    const auto rows = integers(file.at("shapes"));
    CHECK_EQ(rows.size(), size_t{704 * 7});
    for (size_t i = 0; i < rows.size(); i += 7) {
        const mirror::Resize resize =
            mirror::resize_geometry(rows[i + 1], rows[i + 2], rows[i], rows[i], MIRROR_FIT_CROP);
        CHECK_EQ(resize.height, rows[i + 3]);
        CHECK_EQ(resize.width, rows[i + 4]);
        CHECK_EQ(resize.top, rows[i + 5]);
        CHECK_EQ(resize.left, rows[i + 6]);
    }
}

TEST(Preprocess_GoldenImages_AreExactInEveryFormat) {
    const auto file = golden();
    const test::TestDevice device;
    int images = 0;
    for (const mirror::Tensor& tensor : file.tensors()) {
        if (tensor.name.rfind("image_", 0) != 0) continue;
        ++images;
        const mirror::Tensor& expected_tensor = file.at("expected_" + tensor.name.substr(6));
        const auto expected = file.values<float>(expected_tensor);
        const int height = static_cast<int>(tensor.shape[0]),
                  width = static_cast<int>(tensor.shape[1]);
        const int side = static_cast<int>(expected_tensor.shape[0]);
        const auto* rgb = reinterpret_cast<const uint8_t*>(tensor.bytes.data());
        for (const int32_t format :
             {MIRROR_FORMAT_RGB8, MIRROR_FORMAT_RGBA8, MIRROR_FORMAT_BGRA8}) {
            const int64_t stride = width * (format == MIRROR_FORMAT_RGB8 ? 3 : 4) + 13;
            const auto bytes = convert(rgb, width, height, format, stride);
            const mirror_image image{bytes.data(), width, height, stride, format, 0};
            test::Guarded<float> out(expected.size());
            CHECK_OK(
                mirror_preprocess(device, &image, side, side, MIRROR_FIT_CROP, kMean, out.data()));
            out.check();
            CHECK(out.values() == expected);
        }
    }
    CHECK_EQ(images, 7);
}

TEST(Preprocess_Gray_EqualsItsRgbCopy) {
    const test::TestDevice device;
    test::Rng rng;
    const int width = 37, height = 23;
    std::vector<uint8_t> gray(width * height), rgb;
    for (uint8_t& value : gray) rgb.insert(rgb.end(), 3, value = static_cast<uint8_t>(rng.next()));
    const mirror_image one{gray.data(), width, height, width, MIRROR_FORMAT_GRAY8, 0};
    const mirror_image three{rgb.data(), width, height, 3 * width, MIRROR_FORMAT_RGB8, 0};
    std::vector<float> a(48 * 80 * 3), b(a.size());
    CHECK_OK(mirror_preprocess(device, &one, 48, 80, MIRROR_FIT_CROP, kMean, a.data()));
    CHECK_OK(mirror_preprocess(device, &three, 48, 80, MIRROR_FIT_CROP, kMean, b.data()));
    CHECK(a == b);
}

// The definition, in double from the pixels: both axes scaled by themselves, nothing cut off.
TEST(Preprocess_Whole_KeepsTheWholePicture) {
    const test::TestDevice device;
    test::Rng rng;
    const struct {
        int width, height, to_width, to_height;
    } cases[] = {
        {37, 23, 48, 80}, {64, 50, 32, 25}, {5, 90, 31, 31}, {1, 1, 3, 2}, {40, 30, 40, 30}};
    for (const auto& [width, height, to_width, to_height] : cases) {
        std::vector<uint8_t> rgb(static_cast<size_t>(width) * height * 3);
        for (uint8_t& value : rgb) value = static_cast<uint8_t>(rng.next());
        const mirror_image image{rgb.data(), width, height, 3 * width, MIRROR_FORMAT_RGB8, 0};
        test::Guarded<float> out(static_cast<size_t>(to_width) * to_height * 3);
        CHECK_OK(mirror_preprocess(
            device, &image, to_height, to_width, MIRROR_FIT_WHOLE, kMean, out.data()));
        out.check();
        for (int y = 0; y < to_height; ++y)
            for (int x = 0; x < to_width; ++x) {
                const double at_y = static_cast<double>(y) * height / to_height,
                             at_x = static_cast<double>(x) * width / to_width;
                // Float32 positions may fall on the other side of a pixel; the blend is continuous.
                const int top = static_cast<int>(at_y), left = static_cast<int>(at_x);
                const int bottom = std::min(top + 1, height - 1),
                          right = std::min(left + 1, width - 1);
                for (int k = 0; k < 3; ++k) {
                    const auto pixel = [&](int row, int column) -> double {
                        return rgb[static_cast<size_t>((row * width + column) * 3 + k)];
                    };
                    const double ty = at_y - top, tx = at_x - left;
                    const double want =
                        (1 - ty) * ((1 - tx) * pixel(top, left) + tx * pixel(top, right)) +
                        ty * ((1 - tx) * pixel(bottom, left) + tx * pixel(bottom, right)) -
                        kMean[k];
                    CHECK_NEAR(out[static_cast<size_t>((y * to_width + x) * 3 + k)], want, 5e-3);
                }
            }
    }
}

// Where the proportions are those of the target and float32 rounds nothing up, nothing is cut off
// either way.
TEST(Preprocess_WholeOfTheTargetsProportions_EqualsCrop) {
    const test::TestDevice device;
    test::Rng rng;
    std::vector<uint8_t> gray(128 * 96);
    for (uint8_t& value : gray) value = static_cast<uint8_t>(rng.next());
    const mirror_image image{gray.data(), 128, 96, 128, MIRROR_FORMAT_GRAY8, 0};
    std::vector<float> crop(64 * 48 * 3), whole(crop.size());
    CHECK_OK(mirror_preprocess(device, &image, 48, 64, MIRROR_FIT_CROP, kMean, crop.data()));
    CHECK_OK(mirror_preprocess(device, &image, 48, 64, MIRROR_FIT_WHOLE, kMean, whole.data()));
    CHECK(crop == whole);
}

TEST(Preprocess_ExtremeShapes_StayInside) {
    const test::TestDevice device;
    // One pixel high and 65535 wide: the resized image would have 58 million columns, of which 31
    // are computed.
    std::vector<uint8_t> strip(65535);
    for (size_t i = 0; i < strip.size(); ++i) strip[i] = static_cast<uint8_t>(i);
    const mirror_image wide{strip.data(), 65535, 1, 65535, MIRROR_FORMAT_GRAY8, 0};
    const mirror_image tall{strip.data(), 1, 65535, 1, MIRROR_FORMAT_GRAY8, 0};
    for (const mirror_image& image : {wide, tall})
        for (const int32_t fit : {MIRROR_FIT_CROP, MIRROR_FIT_WHOLE}) {
            test::Guarded<float> out(896 * 31 * 3);
            CHECK_OK(mirror_preprocess(device, &image, 896, 31, fit, kMean, out.data()));
            out.check();
            for (const float value : out.values()) CHECK(value >= -124 && value <= 255);
        }
    const mirror_image dot{strip.data() + 9, 1, 1, 1, MIRROR_FORMAT_GRAY8, 0};
    test::Guarded<float> out(33 * 7 * 3);
    CHECK_OK(mirror_preprocess(device, &dot, 33, 7, MIRROR_FIT_CROP, kMean, out.data()));
    for (size_t i = 0; i < out.size(); ++i) CHECK_EQ(out[i], 9 - kMean[i % 3]);
}

TEST(Preprocess_BadArguments_AreNamed) {
    const test::TestDevice device;
    const uint8_t pixels[12] = {};
    std::vector<float> out(3);
    mirror_image image{pixels, 2, 2, 6, MIRROR_FORMAT_RGB8, 0};
    const auto run = [&](int32_t side = 1) {
        return mirror_preprocess(device, &image, side, side, MIRROR_FIT_CROP, kMean, out.data());
    };
    CHECK_OK(run());
    CHECK_FAILS(run(0), MIRROR_E_INVALID_ARGUMENT, "0 x 0");
    CHECK_FAILS(mirror_preprocess(device, &image, 1, 1, 2, kMean, out.data()),
                MIRROR_E_INVALID_ARGUMENT,
                "fit is 2");
    image.stride = 5;
    CHECK_FAILS(run(), MIRROR_E_INVALID_ARGUMENT, "stride is 5");
    image = {pixels, 0, 2, 6, MIRROR_FORMAT_RGB8, 0};
    CHECK_FAILS(run(), MIRROR_E_INVALID_ARGUMENT, "width is 0");
    image = {pixels, 2, 65536, 6, MIRROR_FORMAT_RGB8, 0};
    CHECK_FAILS(run(), MIRROR_E_INVALID_ARGUMENT, "height is 65536");
    image = {pixels, 2, 2, 6, 9, 0};
    CHECK_FAILS(run(), MIRROR_E_INVALID_ARGUMENT, "format is 9");
    image = {nullptr, 2, 2, 6, MIRROR_FORMAT_RGB8, 0};
    CHECK_FAILS(run(), MIRROR_E_INVALID_ARGUMENT, "NULL");
}

}  // namespace
