// Plans: layer lists against the shared description of the networks, sizes, fusion, and an arena in
// which nothing that is still needed is overwritten.
#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "base/json.h"
#include "harness.h"
#include "model/networks.h"
#include "plan/arena.h"
#include "plan/plan.h"
#include "weights.h"

namespace {

using namespace mirror;

std::shared_ptr<const mirror::Model> load_generated(const std::string& network) {
    return mirror::Model::load(test::write_model(network, test::scratch_folder().string()), "");
}

const char* kind_name(LayerKind kind) {
    constexpr const char* names[] = {
        "input", "conv", "bn", "relu", "add", "max_pool", "avg_pool", "lrn", "concat"};
    return names[static_cast<int>(kind)];
}

void check_layer(const Graph& graph, const Layer& layer, const Json& golden) {
    CHECK_EQ(std::string(kind_name(layer.kind)), golden.at("op").string("op"));
    CHECK_EQ(layer.channels, golden.at("channels").size("channels"));
    const auto& inputs = golden.at("inputs").array("inputs");
    CHECK_EQ(layer.inputs.size(), inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i)
        CHECK_EQ(graph.layer(layer.inputs[i]).name, inputs[i].string("inputs"));
    if (const Json* kernel = golden.find("kernel")) {
        CHECK_EQ(layer.kernel, kernel->size("kernel"));
        CHECK_EQ(layer.stride, golden.at("stride").size("stride"));
        const Json& padding = golden.at("padding");
        const bool is_same = padding.is(Json::Kind::string) && padding.string("padding") == "SAME";
        CHECK_EQ(layer.padding.same, is_same);
        if (!is_same)
            CHECK_EQ(layer.padding.amount,
                     padding.is(Json::Kind::string) ? 0 : padding.size("padding"));
    }
    if (const Json* relu = golden.find("relu")) CHECK_EQ(layer.relu, relu->boolean("relu"));
    if (layer.kind == LayerKind::lrn) {
        CHECK_EQ(layer.lrn.radius, golden.at("depth_radius").size("depth_radius"));
        CHECK_EQ(layer.lrn.alpha, static_cast<float>(golden.at("alpha").number("alpha")));
        CHECK_EQ(layer.lrn.beta, static_cast<float>(golden.at("beta").number("beta")));
        CHECK_EQ(layer.lrn.bias, static_cast<float>(golden.at("bias").number("bias")));
    }
    std::map<std::string, std::vector<int64_t>> expected, actual;
    for (const Json& variable : golden.at("variables").array("variables")) {
        auto& shape = expected[variable.array("variable")[0].string("name")];
        for (const Json& extent : variable.array("variable")[1].array("shape"))
            shape.push_back(extent.size("shape"));
    }
    for (const Variable& variable : graph.variables(layer)) actual[variable.name] = variable.shape;
    CHECK(expected == actual);
}

}  // namespace

TEST(Networks_LayerByLayer_EqualDescription) {
    std::ifstream file(test::shared_path("golden/networks.json"));
    std::stringstream text;
    text << file.rdbuf();
    const Json description = Json::parse(text.str());
    const auto& networks = description.at("networks").object("networks");
    CHECK_EQ(networks.size(), network_names().size());
    for (const auto& [name, golden] : networks) {
        const Graph graph = build_network(name);
        CHECK_EQ(graph.layers().back().name, golden.at("output").string("output"));
        CHECK_EQ(graph.variables().size(),
                 static_cast<size_t>(golden.at("variables_needed").size("needed")));
        size_t next = 1;  // 0 is the input
        for (const Json& layer : golden.at("layers").array("layers")) {
            if (!layer.at("needed").boolean("needed")) continue;
            const std::string& layer_name = layer.at("name").string("name");
            check_layer(graph, graph.layer(graph.find(layer_name)), layer);
            ++next;
        }
        CHECK_EQ(next, graph.layers().size());
    }
}

TEST(Networks_Variables_AreSortedAndCounted) {
    const std::map<std::string, size_t> counts = {{"googlenet", 114},
                                                  {"half_googlenet", 114},
                                                  {"googlenet_bn", 345},
                                                  {"googlenet_places", 114},
                                                  {"resnet-50", 266},
                                                  {"resnet-101", 520},
                                                  {"resnet-152", 775}};
    for (const char* name : network_names()) {
        int64_t count = 0;
        CHECK_OK(mirror_network_variables(name, nullptr, 0, &count));
        CHECK_EQ(static_cast<size_t>(count), counts.at(name));
        std::vector<mirror_tensor_info> variables(static_cast<size_t>(count));
        for (auto& variable : variables) variable.struct_size = sizeof variable;
        CHECK_OK(mirror_network_variables(name, variables.data(), count, &count));
        for (size_t i = 1; i < variables.size(); ++i)
            CHECK(std::string(variables[i - 1].name) < std::string(variables[i].name));
    }
    int64_t count = 0;
    CHECK_FAILS(mirror_network_variables("vgg", nullptr, 0, &count), MIRROR_E_NOT_FOUND, "\"vgg\"");
    CHECK_EQ(std::string(mirror_network_name(0)), std::string("googlenet"));
    CHECK(mirror_network_name(-1) == nullptr &&
          mirror_network_name(mirror_network_count()) == nullptr);
}

TEST(Networks_MinSize_IsWhereEveryLayerHasOutput) {
    for (const char* name : network_names()) {
        const bool resnet = std::string(name).starts_with("resnet");
        CHECK_EQ(min_size(build_network(name), ""), resnet ? 193 : 1);
    }
    CHECK_EQ(min_size(build_network("resnet-50"), "res5c_relu"), 1);
}

TEST(Plan_Resnet50_FusesEverythingIntoConvolutions) {
    const auto plan = make_plan(load_generated("resnet-50"), 2, 224, 231, "");
    CHECK_EQ(plan->operations.size(), 55u);  // 53 convolutions and two pools
    size_t residuals = 0;
    for (const Operation& op : plan->operations) {
        if (!op.residual) continue;
        ++residuals;
        CHECK(op.relu);
    }
    CHECK_EQ(residuals, 16u);
    const PlanTensor& output = plan->tensors[static_cast<size_t>(plan->output)];
    CHECK_EQ(output.layer, std::string("pool5"));
    CHECK_EQ(output.height, 1);
    CHECK_EQ(output.width, 2);
    CHECK_EQ(output.channels, 2048);
}

TEST(Plan_StopLayer_LeavesFusionOpen) {
    const auto model = load_generated("resnet-50");
    const auto raw = make_plan(model, 1, 224, 224, "res2a_branch2a");
    CHECK_EQ(raw->operations.back().source.batch_norm, std::string());
    CHECK(!raw->operations.back().relu);
    const auto sum = make_plan(model, 1, 224, 224, "res2a");
    CHECK(sum->operations.back().residual && !sum->operations.back().relu);
    CHECK_EQ(sum->operations.size(), 6u);  // conv1, pool1, four convolutions of the block
    CHECK_THROWS(make_plan(model, 1, 224, 224, "res9z"), MIRROR_E_NOT_FOUND, "res9z");
    CHECK_THROWS(make_plan(model, 0, 224, 224, ""), MIRROR_E_INVALID_ARGUMENT, "batch is 0");
}

TEST(Plan_Concat_WritesSlicesOfOneBuffer) {
    const auto plan = make_plan(load_generated("googlenet"), 1, 224, 224, "inception_3a_output");
    const PlanTensor& output = plan->tensors[static_cast<size_t>(plan->output)];
    CHECK_EQ(output.channels, 256);
    CHECK(!output.slice);
    std::map<std::string, int64_t> channel;
    for (const PlanTensor& tensor : plan->tensors)
        if (tensor.slice) {
            CHECK_EQ(tensor.stride, 256);
            channel[tensor.layer] = tensor.offset - output.offset;
        }
    const std::map<std::string, int64_t> expected = {{"inception_3a_1x1", 0},
                                                     {"inception_3a_3x3", 64},
                                                     {"inception_3a_5x5", 192},
                                                     {"inception_3a_pool_proj", 224}};
    CHECK(channel == expected);
}

// Interprets the plan on memory cells that remember who wrote them: every read must find what it
// expects.
TEST(Plan_Arena_NeverOverwritesLiveData) {
    for (const std::string name : {"googlenet", "googlenet_bn", "resnet-50"}) {
        const auto plan = make_plan(load_generated(name), 1, 200, 233, "");
        constexpr int64_t grain = 4;  // channel counts of these networks are multiples of 4
        std::vector<int> writer(static_cast<size_t>(plan->arena_elements / grain), -1);
        auto for_each = [&](int t, auto&& visit) {
            const PlanTensor& tensor = plan->tensors[static_cast<size_t>(t)];
            const int64_t pixels = static_cast<int64_t>(tensor.height) * tensor.width;
            for (int64_t p = 0; p < pixels; ++p)
                for (int64_t c = 0; c < tensor.channels; c += grain) {
                    const int64_t at = tensor.offset + p * tensor.stride + c;
                    CHECK(at >= 0 &&
                          at + std::min<int64_t>(grain, tensor.channels) <= plan->arena_elements);
                    visit(writer[static_cast<size_t>(at / grain)]);
                }
        };
        std::map<std::string, std::vector<int>> parts;  // of a concat: the tensors written into it
        const Graph& graph = plan->model->graph();
        auto tensor_named = [&](const std::string& layer) {
            for (size_t t = 0; t < plan->tensors.size(); ++t)
                if (plan->tensors[t].layer == layer) return static_cast<int>(t);
            return -1;
        };
        for (const Layer& layer : graph.layers())
            if (layer.kind == LayerKind::concat)
                for (int input : layer.inputs)
                    parts[layer.name].push_back(tensor_named(graph.layer(input).name));
        auto check_read = [&](int t) {
            const auto found = parts.find(plan->tensors[static_cast<size_t>(t)].layer);
            const std::vector<int> whole = {t};
            for (int part : found == parts.end() ? whole : found->second)
                for_each(part, [&](int cell) { CHECK_EQ(cell, part); });
        };
        for_each(0, [&](int& cell) { cell = 0; });
        for (const Operation& op : plan->operations) {
            if (op.input == 0)  // three channels do not fill a grain: checked by the golden outputs
                CHECK(&op == plan->operations.data());
            else
                check_read(op.input);
            for_each(op.output, [&](int& cell) { cell = op.output; });
            if (op.input != 0) check_read(op.input);  // the output lies elsewhere
        }
        check_read(plan->output);
    }
}

TEST(Arena_RandomLifetimes_NeverOverlap) {
    test::Rng rng;
    for (int round = 0; round < 200; ++round) {
        std::vector<Buffer> buffers(static_cast<size_t>(1 + rng.index(40)));
        int64_t largest = 0;
        for (Buffer& buffer : buffers) {
            buffer.elements = rng.index(5000);
            buffer.first = static_cast<int>(rng.index(30));
            buffer.last = buffer.first + static_cast<int>(rng.index(8));
            largest = std::max(largest, buffer.elements);
        }
        const int64_t total = place(buffers);
        CHECK(total >= largest);
        for (const Buffer& a : buffers) {
            CHECK(a.offset >= 0 && a.offset % arena_alignment == 0 &&
                  a.offset + a.elements <= total);
            for (const Buffer& b : buffers) {
                const bool together = &a != &b && a.first <= b.last && b.first <= a.last;
                CHECK(!together || a.offset + a.elements <= b.offset ||
                      b.offset + b.elements <= a.offset);
            }
        }
    }
}
