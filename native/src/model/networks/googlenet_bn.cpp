// googlenet_bn: BN-Inception (Ioffe & Szegedy 2015). Convolutions have no bias; batch norm lives in
// NAME/bn. Stride-2 convolutions pad 1 on every side, stride-2 pools are SAME, average pools pad 1
// and count the zeros. The pool projections of 4c and 4d have 96 filters where the usual network
// has 128.
#include "model/networks.h"

namespace mirror {
namespace {

int conv_bn(Graph& g,
            const std::string& name,
            int input,
            int kernel,
            int filters,
            int stride,
            Padding padding) {
    Layer extra;
    extra.relu = true;
    extra.batch_norm = name + "/bn";
    return g.conv(name, input, kernel, filters, stride, padding, std::move(extra));
}

struct Widths {
    int one, three_reduce, three, double_reduce, double_three, pool;
};

int inception_bn(
    Graph& g, const std::string& name, int input, const Widths& widths, bool max_pool = false) {
    const int one = conv_bn(g, name + "_1x1", input, 1, widths.one, 1, same);
    const int three_reduce =
        conv_bn(g, name + "_3x3_reduce", input, 1, widths.three_reduce, 1, same);
    const int three = conv_bn(g, name + "_3x3", three_reduce, 3, widths.three, 1, same);
    const int reduce =
        conv_bn(g, name + "_double3x3_reduce", input, 1, widths.double_reduce, 1, same);
    const int double_a = conv_bn(g, name + "_double3x3a", reduce, 3, widths.double_three, 1, same);
    const int double_b =
        conv_bn(g, name + "_double3x3b", double_a, 3, widths.double_three, 1, same);
    const int pool = max_pool ? g.max_pool(name + "_pool", input, 3, 1, pad(1))
                              : g.avg_pool(name + "_pool", input, 3, 1, pad(1));
    const int projection = conv_bn(g, name + "_pool_proj", pool, 1, widths.pool, 1, same);
    return g.concat(name + "_output", {one, three, double_b, projection});
}

// The blocks that halve the map: no 1x1 branch, and the pool goes through as it is.
int reduction_bn(Graph& g, const std::string& name, int input, const Widths& widths) {
    const int three_reduce =
        conv_bn(g, name + "_3x3_reduce", input, 1, widths.three_reduce, 1, same);
    const int three = conv_bn(g, name + "_3x3", three_reduce, 3, widths.three, 2, pad(1));
    const int reduce =
        conv_bn(g, name + "_double3x3_reduce", input, 1, widths.double_reduce, 1, same);
    const int double_a = conv_bn(g, name + "_double3x3a", reduce, 3, widths.double_three, 1, same);
    const int double_b =
        conv_bn(g, name + "_double3x3b", double_a, 3, widths.double_three, 2, pad(1));
    const int pool = g.max_pool(name + "_pool", input, 3, 2, same);
    return g.concat(name + "_output", {three, double_b, pool});
}

}  // namespace

Graph googlenet_bn() {
    Graph g("googlenet_bn");
    int x = conv_bn(g, "conv1_7x7_s2", 0, 7, 64, 2, pad(3));
    x = g.max_pool("pool1_3x3_s2", x, 3, 2, same);
    x = conv_bn(g, "conv2_3x3_reduce", x, 1, 64, 1, same);
    x = conv_bn(g, "conv2_3x3", x, 3, 192, 1, same);
    x = g.max_pool("pool2_3x3_s2", x, 3, 2, same);
    x = inception_bn(g, "inception_3a", x, {64, 64, 64, 64, 96, 32});
    x = inception_bn(g, "inception_3b", x, {64, 64, 96, 64, 96, 64});
    x = reduction_bn(g, "inception_3c", x, {0, 128, 160, 64, 96, 0});
    x = inception_bn(g, "inception_4a", x, {224, 64, 96, 96, 128, 128});
    x = inception_bn(g, "inception_4b", x, {192, 96, 128, 96, 128, 128});
    x = inception_bn(g, "inception_4c", x, {160, 128, 160, 128, 160, 96});
    x = inception_bn(g, "inception_4d", x, {96, 128, 192, 160, 192, 96});
    x = reduction_bn(g, "inception_4e", x, {0, 128, 192, 192, 256, 0});
    x = inception_bn(g, "inception_5a", x, {352, 192, 320, 160, 224, 128});
    inception_bn(g, "inception_5b", x, {352, 192, 320, 192, 224, 128}, true);
    return g;
}

}  // namespace mirror
