// half_googlenet: GoogLeNet at half width and without local response normalisation.
#include "model/networks.h"
#include "model/networks/inception.h"

namespace mirror {

Graph half_googlenet() {
    Graph g("half_googlenet");
    int x = g.conv("conv1_7x7_s2", 0, 7, 32, 2, pad(3), bias_relu());
    x = g.max_pool("pool1_3x3_s2", x, 3, 2, same);
    x = g.conv("conv2_3x3_reduce", x, 1, 32, 1, same, bias_relu());
    x = g.conv("conv2_3x3", x, 3, 96, 1, same, bias_relu());
    x = g.max_pool("pool2_3x3_s2", x, 3, 2, same);
    x = inception(g, "inception_3a", x, {32, 48, 64, 8, 16, 16});
    x = inception(g, "inception_3b", x, {64, 64, 96, 16, 48, 32});
    x = g.max_pool("pool3_3x3_s2", x, 3, 2, same);
    x = inception(g, "inception_4a", x, {96, 48, 104, 8, 24, 32});
    x = inception(g, "inception_4b", x, {80, 56, 112, 12, 32, 32});
    x = inception(g, "inception_4c", x, {64, 64, 128, 12, 32, 32});
    x = inception(g, "inception_4d", x, {56, 72, 144, 16, 32, 32});
    x = inception(g, "inception_4e", x, {128, 80, 160, 16, 64, 64});
    x = g.max_pool("pool4_3x3_s2", x, 3, 2, same);
    x = inception(g, "inception_5a", x, {128, 80, 160, 16, 64, 64});
    inception(g, "inception_5b", x, {192, 96, 192, 24, 64, 64});
    return g;
}

}  // namespace mirror
