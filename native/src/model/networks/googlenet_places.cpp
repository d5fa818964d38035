// googlenet_places: GoogLeNet as trained for Places, with its own layer names. The first block
// writes "icp2_in", every other one "icpN_out"; out0 (the 1x1) is built last but comes first in the
// concat.
#include "model/networks.h"
#include "model/networks/inception.h"

namespace mirror {
namespace {

int icp(Graph& g,
        const std::string& name,
        const std::string& output,
        int input,
        const InceptionWidths& widths) {
    auto conv = [&](const char* suffix, int from, int kernel, int filters) {
        return g.conv(name + suffix, from, kernel, filters, 1, same, bias_relu());
    };
    const int reduction1 = conv("_reduction1", input, 1, widths.three_reduce);
    const int out1 = conv("_out1", reduction1, 3, widths.three);
    const int reduction2 = conv("_reduction2", input, 1, widths.five_reduce);
    const int out2 = conv("_out2", reduction2, 5, widths.five);
    const int pool = g.max_pool(name + "_pool", input, 3, 1, same);
    const int out3 = conv("_out3", pool, 1, widths.pool);
    const int out0 = conv("_out0", input, 1, widths.one);
    return g.concat(output, {out0, out1, out2, out3});
}

}  // namespace

Graph googlenet_places() {
    Graph g("googlenet_places");
    int x = g.conv("conv1", 0, 7, 64, 2, pad(3), bias_relu());
    x = g.max_pool("pool1", x, 3, 2, same);
    x = g.lrn("norm1", x);
    x = g.conv("reduction2", x, 1, 64, 1, same, bias_relu());
    x = g.conv("conv2", x, 3, 192, 1, same, bias_relu());
    x = g.lrn("norm2", x);
    x = g.max_pool("pool2", x, 3, 2, same);
    x = icp(g, "icp1", "icp2_in", x, {64, 96, 128, 16, 32, 32});
    x = icp(g, "icp2", "icp2_out", x, {128, 128, 192, 32, 96, 64});
    x = g.max_pool("icp3_in", x, 3, 2, same);
    x = icp(g, "icp3", "icp3_out", x, {192, 96, 208, 16, 48, 64});
    x = icp(g, "icp4", "icp4_out", x, {160, 112, 224, 24, 64, 64});
    x = icp(g, "icp5", "icp5_out", x, {128, 128, 256, 24, 64, 64});
    x = icp(g, "icp6", "icp6_out", x, {112, 144, 288, 32, 64, 64});
    x = icp(g, "icp7", "icp7_out", x, {256, 160, 320, 32, 128, 128});
    x = g.max_pool("icp8_in", x, 3, 2, same);
    x = icp(g, "icp8", "icp8_out", x, {256, 160, 320, 32, 128, 128});
    icp(g, "icp9", "icp9_out", x, {384, 192, 384, 48, 128, 128});
    return g;
}

}  // namespace mirror
