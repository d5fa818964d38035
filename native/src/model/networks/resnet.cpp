// resnet-50, -101, -152 (He et al. 2016), Caffe style: the stride of stages 3 to 5 sits on the
// first 1x1 of each branch. The output is a 7x7 average pool with stride 1, not a global one.
// ResNet-50's conv1 pads 3 on every side and has a bias; the deeper two are SAME without one.
#include <array>

#include "base/error.h"
#include "model/networks.h"

namespace mirror {
namespace {

// res<suffix>: 1x1 -> 3x3 -> 1x1 plus the shortcut, which is projected where `project` is set.
int bottleneck(
    Graph& g, const std::string& suffix, int input, int filters, int stride, bool project) {
    auto conv_bn =
        [&](const char* branch, int from, int kernel, int channels, int step, bool relu) {
            const int conv =
                g.conv("res" + suffix + branch, from, kernel, channels, step, same, {});
            return g.batch_norm("bn" + suffix + branch, conv, relu);
        };
    const int shortcut =
        project ? conv_bn("_branch1", input, 1, 4 * filters, stride, false) : input;
    int x = conv_bn("_branch2a", input, 1, filters, stride, true);
    x = conv_bn("_branch2b", x, 3, filters, 1, true);
    x = conv_bn("_branch2c", x, 1, 4 * filters, 1, false);
    x = g.add("res" + suffix, shortcut, x);
    return g.relu("res" + suffix + "_relu", x);
}

}  // namespace

Graph resnet(int depth) {
    Graph g("resnet-" + std::to_string(depth));
    const bool deep = depth > 50;
    Layer first;
    first.bias = !deep;
    int x = g.conv("conv1", 0, 7, 64, 2, deep ? same : pad(3), std::move(first));
    x = g.batch_norm("bn_conv1", x, true);
    x = g.max_pool("pool1", x, 3, 2, same);

    const std::array blocks = {3,
                               depth == 152 ? 8 : 4,
                               depth == 50    ? 6
                               : depth == 101 ? 23
                                              : 36,
                               3};
    for (int stage = 2; stage <= 5; ++stage) {
        const int count = blocks[static_cast<size_t>(stage - 2)];
        // Deep networks number the long stages a, b1, b2, ...; the others use letters.
        const bool numbered = deep && (stage == 3 || stage == 4);
        for (int i = 0; i < count; ++i) {
            std::string block = text(stage);
            if (numbered && i > 0)
                block += text("b", i);
            else
                block += static_cast<char>('a' + i);
            const int stride = i == 0 && stage > 2 ? 2 : 1;
            x = bottleneck(g, block, x, 32 << (stage - 1), stride, i == 0);
        }
    }
    g.avg_pool("pool5", x, 7, 1, valid);
    return g;
}

}  // namespace mirror
