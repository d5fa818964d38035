// The inception block of GoogLeNet (Szegedy et al. 2015), shared by googlenet and half_googlenet.
#pragma once

#include "model/graph.h"

namespace mirror {

struct InceptionWidths {
    int one, three_reduce, three, five_reduce, five, pool;
};

// Convolutions of the plain GoogLeNets have a bias and a ReLU.
inline Layer bias_relu() {
    Layer extra;
    extra.bias = true;
    extra.relu = true;
    return extra;
}

inline int inception(Graph& g, const std::string& name, int input, const InceptionWidths& widths) {
    auto conv = [&](const char* suffix, int from, int kernel, int filters) {
        return g.conv(name + suffix, from, kernel, filters, 1, same, bias_relu());
    };
    const int one = conv("_1x1", input, 1, widths.one);
    const int three_reduce = conv("_3x3_reduce", input, 1, widths.three_reduce);
    const int three = conv("_3x3", three_reduce, 3, widths.three);
    const int five_reduce = conv("_5x5_reduce", input, 1, widths.five_reduce);
    const int five = conv("_5x5", five_reduce, 5, widths.five);
    const int pool = g.max_pool(name + "_pool", input, 3, 1, same);
    const int projection = conv("_pool_proj", pool, 1, widths.pool);
    return g.concat(name + "_output", {one, three, five, projection});
}

}  // namespace mirror
