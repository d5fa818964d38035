// conv2d_f16_* and conv2d_bf16_* on the emulator against a reference in double.
#include "conv/conv2d_mma.cu"
#include "conv2d_fixture.h"
#include "simt.hpp"

using test::Conv2dCase;
using test::Residual;

namespace {

//   n  h  w   c    k  r  s  stride  pad    p  q
const Conv2dCase kCases[] = {
    {2, 7, 9, 24, 40, 3, 3, 1, 1, 1, 1, 7, 9, Residual::separate, true},      // c no multiple of BK, ragged tiles
    {1, 13, 11, 72, 72, 1, 1, 1, 1, 0, 0, 13, 11, Residual::in_place, true},  // pointwise
    {3, 9, 7, 64, 64, 1, 1, 2, 2, 0, 0, 5, 4, Residual::none, false},         // pointwise, strided
    {1, 4, 3, 16, 16, 1, 1, 2, 2, 0, 0, 4, 3, Residual::none, false},         // the same, padded to the input's size
    {1, 9, 8, 8, 16, 5, 5, 2, 1, 2, 1, 6, 9, Residual::none, false},          // asymmetric; a slice holds several taps
    {1, 5, 4, 136, 136, 3, 3, 1, 1, 1, 0, 5, 4, Residual::in_place, false},   // k beyond one tile, long K
    {1, 1, 1, 8, 8, 1, 1, 1, 1, 0, 0, 1, 1, Residual::none, false},           // one pixel
    {1, 1, 2, 16, 8, 3, 3, 1, 1, 1, 1, 1, 2, Residual::none, true},           // filter larger than the image
    {2, 11, 12, 32, 64, 7, 1, 2, 2, 0, 0, 3, 6, Residual::none, true, 4},     // first layer: 8 pixels of 4 channels
};

template <class T, class Tile>
void check(void (*kernel)(const Conv2dParams), const char* name) {
    CHECK_EQ(test::catalogued(name).threads, Tile::THREADS);
    CHECK_EQ(test::catalogued(name).shared, Tile::SHARED);
    for (const Conv2dCase& g : kCases) {
        test::Conv2dProblem<T> problem(g);
        test::run_schedules(
            kernel,
            conv2d_launch<Tile>(problem.params()),
            problem.params(),
            [&] { problem.reset(); },
            [&] { problem.check(); });
    }
}

}  // namespace

#define CONV2D_TEST(NAME, T, TILE)                                                \
    TEST(Conv2d_##NAME##_##TILE##_MatchesReference) {                             \
        check<T, Conv2dHalf_##TILE>(conv2d_##T##_##TILE, "conv2d_" #T "_" #TILE); \
    }
CONV2D_TEST(F16, f16, 128x128x32)
CONV2D_TEST(F16, f16, 128x64x32)
CONV2D_TEST(F16, f16, 64x64x64)
CONV2D_TEST(F16, f16, 64x64x32)
CONV2D_TEST(BF16, bf16, 128x128x32)
CONV2D_TEST(BF16, bf16, 128x64x32)
CONV2D_TEST(BF16, bf16, 64x64x64)
CONV2D_TEST(BF16, bf16, 64x64x32)

#define OVERFLOW_TEST(NAME, T, TILE)                                                          \
    TEST(Conv2d_##NAME##_##TILE##_TellsOverflow) {                                           \
        test::check_overflow<T>([](const Conv2dParams& p, const simt::Options& schedule) {    \
            test::run(conv2d_##T##_##TILE, conv2d_launch<Conv2dHalf_##TILE>(p), p, schedule); \
        });                                                                                   \
    }
OVERFLOW_TEST(F16, f16, 128x128x32)
OVERFLOW_TEST(F16, f16, 128x64x32)
OVERFLOW_TEST(F16, f16, 64x64x64)
OVERFLOW_TEST(F16, f16, 64x64x32)
OVERFLOW_TEST(BF16, bf16, 128x128x32)

TEST(Conv2d_GridOfLargeBatch_StaysInOneDimension) {
    Conv2dParams p = {};
    p.n = 20000, p.p = p.q = 112, p.k = 64;  // 250,880,000 pixels
    const LaunchShape shape = conv2d_launch<Conv2dHalf_64x64x32>(p);
    CHECK_EQ(shape.x, 3920000);
    CHECK_EQ(shape.y * shape.z, 1);
}
