// conv2d_f32_* on the emulator against a reference in double.
#include "conv/conv2d_f32.cu"
#include "conv2d_fixture.h"
#include "simt.hpp"

using test::Conv2dCase;
using test::Residual;

namespace {

//   n  h  w   c    k  r  s  stride  pad    p  q
const Conv2dCase kCases[] = {
    {2, 7, 9, 20, 36, 3, 3, 1, 1, 1, 1, 7, 9, Residual::separate, true},      // c no multiple of BK, ragged tiles
    {1, 13, 11, 36, 68, 1, 1, 1, 1, 0, 0, 13, 11, Residual::in_place, true},  // pointwise, k beyond one tile
    {3, 9, 7, 32, 64, 1, 1, 2, 2, 0, 0, 5, 4, Residual::none, false},         // pointwise, strided
    {1, 9, 8, 4, 12, 5, 5, 2, 1, 2, 1, 6, 9, Residual::none, false},          // asymmetric; a slice holds several taps
    {1, 1, 1, 4, 4, 1, 1, 1, 1, 0, 0, 1, 1, Residual::none, false},           // one pixel
    {1, 1, 2, 16, 8, 3, 3, 1, 1, 1, 1, 1, 2, Residual::none, true},           // filter larger than the image
    {2, 11, 12, 32, 64, 7, 1, 2, 2, 0, 0, 3, 6, Residual::none, true, 4},     // first layer: 8 pixels of 4 channels
};

template <class Tile>
std::vector<std::vector<float>> check(void (*kernel)(const Conv2dParams), const char* name) {
    CHECK_EQ(test::catalogued(name).threads, Tile::THREADS);
    CHECK_EQ(test::catalogued(name).shared, Tile::SHARED);
    std::vector<std::vector<float>> results;
    for (const Conv2dCase& g : kCases) {
        test::Conv2dProblem<float> problem(g);
        test::run_schedules(
            kernel,
            conv2d_launch<Tile>(problem.params()),
            problem.params(),
            [&] { problem.reset(); },
            [&] {
                problem.check();
                CHECK(problem.error() < 1e-6);
            });
        results.push_back(problem.result());
    }
    return results;
}

}  // namespace

TEST(Conv2d_F32_Tiles_MatchReferenceAndEachOther) {
    const auto large = check<Conv2dFloat_128x64>(conv2d_f32_128x64, "conv2d_f32_128x64");
    const auto small = check<Conv2dFloat_64x64>(conv2d_f32_64x64, "conv2d_f32_64x64");
    // K is summed in the same order whatever the tile, so the bits agree.
    for (size_t i = 0; i < large.size(); ++i)
        CHECK(std::memcmp(large[i].data(), small[i].data(), large[i].size() * sizeof(float)) == 0);
}
