// googlenet: GoogLeNet with local response normalisation, cut after inception 5b. Mind the order:
// pool1 -> norm1, but conv2 -> norm2 -> pool2. conv1 pads 3 on every side, the rest is SAME.
#include "model/networks.h"
#include "model/networks/inception.h"

namespace mirror {

Graph googlenet() {
    Graph g("googlenet");
    int x = g.conv("conv1_7x7_s2", 0, 7, 64, 2, pad(3), bias_relu());
    x = g.max_pool("pool1_3x3_s2", x, 3, 2, same);
    x = g.lrn("pool1_norm1", x);
    x = g.conv("conv2_3x3_reduce", x, 1, 64, 1, same, bias_relu());
    x = g.conv("conv2_3x3", x, 3, 192, 1, same, bias_relu());
    x = g.lrn("conv2_norm2", x);
    x = g.max_pool("pool2_3x3_s2", x, 3, 2, same);
    x = inception(g, "inception_3a", x, {64, 96, 128, 16, 32, 32});
    x = inception(g, "inception_3b", x, {128, 128, 192, 32, 96, 64});
    x = g.max_pool("pool3_3x3_s2", x, 3, 2, same);
    x = inception(g, "inception_4a", x, {192, 96, 208, 16, 48, 64});
    x = inception(g, "inception_4b", x, {160, 112, 224, 24, 64, 64});
    x = inception(g, "inception_4c", x, {128, 128, 256, 24, 64, 64});
    x = inception(g, "inception_4d", x, {112, 144, 288, 32, 64, 64});
    x = inception(g, "inception_4e", x, {256, 160, 320, 32, 128, 128});
    x = g.max_pool("pool4_3x3_s2", x, 3, 2, same);
    x = inception(g, "inception_5a", x, {256, 160, 320, 32, 128, 128});
    inception(g, "inception_5b", x, {384, 192, 384, 48, 128, 128});
    return g;
}

}  // namespace mirror
