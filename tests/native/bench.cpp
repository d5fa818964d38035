// Per layer and per network: time, TFLOP/s, GB/s and the share of the floor; all-against-all PR-MAC
// by every kernel and by cuBLAS. Random weights and pixels from a fixed seed: --dump writes them,
// so that another framework runs the same.
//
//   --nets resnet-50,...  --sizes 224,448,896  --batches 1,8,32  --precisions fp16[,bf16,fp32]
//   --families mma[,wgmma]
//   --rounds N  --layers 0|1 (print every layer)  --search N (images; 0: none)  --dump FOLDER
//   --json FILE
#include "bench.h"

#include <cstdio>
#if MIRROR_HAS_CUDA
#include <fstream>
#include <map>
#include <sstream>

#include "backend/cuda/driver.h"
#include "backend/cuda/launchers.h"
#include "backend/cuda/memory.h"
#include "backend/cuda/profile.h"
#include "backend/cuda/scorer.h"
#include "base/json.h"
#include "harness.h"
#include "weights.h"
#endif

namespace test {
#if MIRROR_HAS_CUDA
namespace {

using namespace mirror;
using namespace mirror::cuda;

// FLOP/s and bytes/s that no kernel of a GPU exceeds: measured GEMM and copy of an H200, datasheet
// numbers times the same shares (80% and 90%) elsewhere. NVIDIA's datasheets: fp16 dense TFLOP/s
// and GB/s.
struct Ceiling {
    const char* name;
    double flops, bytes;
};
constexpr Ceiling kCeilings[] = {{"H200", 790e12, 4.3e12},
                                 {"H100 PCIe", 600e12, 1.8e12},
                                 {"H100", 790e12, 3.0e12},
                                 {"A100", 250e12, 1.8e12}};

const Ceiling* ceiling(const std::string& gpu) {
    for (const Ceiling& known : kCeilings)
        if (gpu.find(known.name) != std::string::npos) return &known;
    return nullptr;
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> result;
    std::stringstream in(list);
    for (std::string item; std::getline(in, item, ',');) result.push_back(item);
    return result;
}

constexpr std::pair<const char*, int32_t> kPrecisions[] = {{"fp32", MIRROR_PRECISION_FP32},
                                                           {"fp16", MIRROR_PRECISION_FP16},
                                                           {"bf16", MIRROR_PRECISION_BF16}};
constexpr std::pair<const char*, Family> kFamilies[] = {{"mma", Family::mma},
                                                        {"wgmma", Family::wgmma}};

template <class Table>
auto look_up(const Table& table, const std::string& name) {
    for (const auto& [key, value] : table)
        if (name == key) return value;
    throw std::runtime_error("bench: unknown value " + name);
}

class Bench {
  public:
    Bench(const std::string& device, const std::vector<std::string>& arguments) {
        for (size_t i = 0; i + 1 < arguments.size(); i += 2) {
            if (!options_.contains(arguments[i]))
                throw std::runtime_error("bench: unknown option " + arguments[i]);
            options_[arguments[i]] = arguments[i + 1];
        }
        if (arguments.size() % 2)
            throw std::runtime_error("bench: " + arguments.back() + " needs a value");
        GpuOptions options;
        if (device.starts_with("cuda:")) options.ordinal = std::stoi(device.substr(5));
        gpu_ = Gpu::open(options);
        ceiling_ = ceiling(gpu_->name());
        rounds_ = std::stoi(options_["--rounds"]);
    }

    int run() {
        std::printf("%s, sm_%d, %d multiprocessors, driver for CUDA %s\n",
                    gpu_->name().c_str(),
                    gpu_->traits().architecture,
                    gpu_->traits().multiprocessors,
                    version_text(gpu_->driver().version).c_str());
        for (const std::string& network : split(options_["--nets"])) bench_network(network);
        if (const int64_t images = std::stoll(options_["--search"]); images > 0)
            bench_search(images);
        return 0;
    }

  private:
    // Adds a result and rewrites the file: what ends this process early loses nothing before it.
    void item(std::string& list, const std::string& object) {
        list += (list.empty() ? "" : ",\n") + object;
        if (options_["--json"].empty()) return;
        std::ofstream(options_["--json"])
            << "{\"gpu\":" << json_quote(gpu_->name()) << ",\"sm\":" << gpu_->traits().architecture
            << ",\"networks\":[" << networks_ << "],\"search\":[" << search_ << "]}\n";
    }

    std::string share(double floor, double seconds) const {
        char buffer[32] = "";
        if (ceiling_) std::snprintf(buffer, sizeof buffer, "%5.1f%%", 100 * floor / seconds);
        return buffer;
    }
    double floor(double flops, double bytes) const {
        return ceiling_ ? std::max(flops / ceiling_->flops, bytes / ceiling_->bytes) : 0;
    }

    void bench_network(const std::string& network) {
        const auto folder = std::filesystem::temp_directory_path() / "mirror-bench";
        std::filesystem::create_directories(folder);
        const std::string path = write_model(network, folder.string());
        const std::shared_ptr<const Model> model = Model::load(path, network);
        for (const std::string& size : split(options_["--sizes"]))
            for (const std::string& batch : split(options_["--batches"])) {
                const std::vector<float> input = pixels(std::stoi(batch), std::stoi(size));
                for (const std::string& precision : split(options_["--precisions"])) {
                    const int32_t kind = look_up(kPrecisions, precision);
                    const auto plan = make_plan(model,
                                                std::stoi(batch),
                                                std::stoi(size),
                                                std::stoi(size),
                                                "",
                                                alignment(kind));
                    std::vector<float> output;  // of the first family
                    for (const std::string& family : split(options_["--families"])) {
                        auto result = bench_plan(network, plan, precision, kind, family, input);
                        if (output.empty()) output = std::move(result);
                    }
                    if (!options_["--dump"].empty() &&
                        precision == split(options_["--precisions"])[0])
                        dump(network, *plan, input, output);
                }
            }
        std::filesystem::remove(path);
    }

    // splitmix64 -> uniform [-120, 130), as bytes minus the mean would be.
    static std::vector<float> pixels(int batch, int size) {
        std::vector<float> result(static_cast<size_t>(batch) * static_cast<size_t>(size) *
                                  static_cast<size_t>(size) * 3);
        uint64_t state = 1;
        for (float& value : result) {
            uint64_t z = state += 0x9E3779B97F4A7C15u;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
            value = static_cast<float>(static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53 * 250 -
                                       120);
        }
        return result;
    }

    // Returns the feature map.
    std::vector<float> bench_plan(const std::string& network,
                                  const std::shared_ptr<const Plan>& plan,
                                  const std::string& precision,
                                  int32_t kind,
                                  const std::string& family,
                                  const std::vector<float>& input) {
        NetworkProfile profile =
            profile_network(gpu_, plan, kind, look_up(kFamilies, family), input, rounds_);
        double flops = 0, bytes = 0, least = 0;
        std::string layers;
        for (const LayerTime& layer : profile.layers) {
            const double layer_floor = floor(layer.flops, layer.bytes);
            flops += layer.flops, bytes += layer.bytes, least += layer_floor;
            if (options_["--layers"] == "1")
                std::printf("  %-24s %-26s %9.1f us %7.1f TFLOP/s %7.0f GB/s %s\n",
                            layer.layer.c_str(),
                            layer.kernel.c_str(),
                            layer.seconds * 1e6,
                            layer.flops / layer.seconds * 1e-12,
                            layer.bytes / layer.seconds * 1e-9,
                            share(layer_floor, layer.seconds).c_str());
            layers += text(layers.empty() ? "" : ",",
                           "{\"layer\":",
                           json_quote(layer.layer),
                           ",\"kernel\":",
                           json_quote(layer.kernel),
                           ",\"us\":",
                           layer.seconds * 1e6,
                           ",\"flops\":",
                           layer.flops,
                           ",\"bytes\":",
                           layer.bytes,
                           "}");
        }
        const double image = profile.seconds / plan->batch;
        std::printf(
            "%-18s %4d px, batch %2d, %s, %-5s %9.1f us/image %7.1f TFLOP/s %7.0f GB/s %s of the "
            "floor\n",
            network.c_str(),
            plan->height,
            plan->batch,
            precision.c_str(),
            family.c_str(),
            image * 1e6,
            flops / profile.seconds * 1e-12,
            bytes / profile.seconds * 1e-9,
            share(least, profile.seconds).c_str());
        std::fflush(stdout);
        item(networks_,
             text("{\"network\":",
                  json_quote(network),
                  ",\"size\":",
                  plan->height,
                  ",\"batch\":",
                  plan->batch,
                  ",\"precision\":",
                  json_quote(precision),
                  ",\"family\":",
                  json_quote(family),
                  ",\"us_per_image\":",
                  image * 1e6,
                  ",\"floor_us_per_image\":",
                  least / plan->batch * 1e6,
                  ",\"layers\":[",
                  layers,
                  "]}"));
        return std::move(profile.output);
    }

    // NETWORK-SIZE-BATCH.json (operations in order, tensors by index) and .bin (float32: weights,
    // input, our output).
    void dump(const std::string& network,
              const Plan& plan,
              const std::vector<float>& input,
              const std::vector<float>& output) {
        std::filesystem::create_directories(options_["--dump"]);
        const std::string stem =
            text(options_["--dump"], "/", network, "-", plan.height, "-", plan.batch);
        std::ofstream data(stem + ".bin", std::ios::binary);
        int64_t written = 0;
        const auto write = [&](const std::vector<float>& values) {
            data.write(reinterpret_cast<const char*>(values.data()),
                       static_cast<std::streamsize>(values.size() * sizeof(float)));
            const int64_t at = written;
            written += static_cast<int64_t>(values.size());
            return text("{\"offset\":", at, ",\"count\":", values.size(), "}");
        };
        std::string tensors, operations;
        for (const PlanTensor& t : plan.tensors)
            tensors += text(tensors.empty() ? "" : ",",
                            "{\"height\":",
                            t.height,
                            ",\"width\":",
                            t.width,
                            ",\"channels\":",
                            t.channels,
                            ",\"stride\":",
                            t.stride,
                            ",\"offset\":",
                            t.offset,
                            ",\"slice\":",
                            t.slice ? "true" : "false",
                            "}");
        constexpr const char* kinds[] = {"conv", "max_pool", "avg_pool", "lrn"};
        for (const Operation& op : plan.operations) {
            const mirror_window& w = op.window;
            operations += text(operations.empty() ? "" : ",\n",
                               "{\"kind\":\"",
                               kinds[static_cast<int>(op.kind)],
                               "\",\"name\":",
                               json_quote(op.name),
                               ",\"input\":",
                               op.input,
                               ",\"output\":",
                               op.output,
                               ",\"kernel\":[",
                               w.kernel_h,
                               ",",
                               w.kernel_w,
                               "],\"stride\":[",
                               w.stride_h,
                               ",",
                               w.stride_w,
                               "],\"pad\":[",
                               w.pad_left,
                               ",",
                               w.pad_right,
                               ",",
                               w.pad_top,
                               ",",
                               w.pad_bottom,
                               "],\"relu\":",
                               op.relu ? "true" : "false",
                               ",\"residual\":",
                               op.residual ? "true" : "false",
                               ",\"lrn\":[",
                               op.lrn.radius,
                               ",",
                               op.lrn.alpha,
                               ",",
                               op.lrn.beta,
                               ",",
                               op.lrn.bias,
                               "]");
            if (op.kind == OperationKind::conv) {
                const ConvWeights weights = fold(*plan.model, op.source);
                operations +=
                    ",\"weights\":" + write(weights.kernel) + ",\"bias\":" + write(weights.bias);
            }
            operations += "}";
        }
        const std::string x = write(input), y = write(output);
        std::ofstream(stem + ".json")
            << "{\"network\":" << json_quote(network) << ",\"size\":" << plan.height
            << ",\"batch\":" << plan.batch << ",\"input\":" << x << ",\"output\":" << y
            << ",\"result\":" << plan.output << ",\"tensors\":[" << tensors
            << "],\n\"operations\":[" << operations << "]}\n";
    }

    // All against all, 35 x 256, fp16 unit rows, scores in strips of queries as a search has them.
    void bench_search(int64_t images) {
        constexpr int regions = 35, dim = 256;
        const Gpu::Scope scope(*gpu_);
        const int64_t strip = std::min<int64_t>(images, 2048);
        const int64_t rows = images * regions;
        std::vector<float> values(static_cast<size_t>(rows) * dim);
        uint64_t state = 2;
        for (float& value : values) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            value = static_cast<float>(static_cast<int32_t>(state >> 32)) * 0x1p-31f;
        }
        const DeviceBuffer floats(gpu_, values.size() * sizeof(float)),
            half(gpu_, values.size() * 2);
        copy(*gpu_, floats.as<>(), values.data(), floats.bytes(), gpu_->stream());
        l2_normalize(*gpu_, {floats.as<const float>(), floats.as<float>(), rows, dim});
        cast(*gpu_, MIRROR_PRECISION_FP16, {floats.as<const float>(), half.as<>(), rows, dim, dim});
        const DeviceBuffer scores(gpu_, static_cast<size_t>(strip * images) * sizeof(float));
        const double flops = 2.0 * static_cast<double>(rows) * static_cast<double>(rows) * dim;
        Scorer scorer(gpu_);
        const auto measure = [&](const std::string& name,
                                 const std::function<void(const ScoreJob&)>& body) {
            const double seconds = time_on(gpu_, rounds_, [&] {
                for (int64_t first = 0; first < images; first += strip)
                    body({half.as<const std::byte>() + first * regions * dim * 2,
                          half.as<>(),
                          std::min(strip, images - first),
                          images,
                          regions,
                          dim,
                          MIRROR_PRECISION_FP16,
                          MIRROR_SIMILARITY_PR_MAC,
                          MIRROR_METRIC_DOT,
                          scores.as<float>(),
                          images});
            });
            const double least = floor(flops, 0);
            std::printf(
                "PR-MAC %lld x 35 x 256 all against all, %-28s %9.2f ms %7.1f TFLOP/s %s of the "
                "floor\n",
                static_cast<long long>(images),
                name.c_str(),
                seconds * 1e3,
                flops / seconds * 1e-12,
                share(least, seconds).c_str());
            item(search_,
                 text("{\"images\":",
                      images,
                      ",\"kernel\":",
                      json_quote(name),
                      ",\"ms\":",
                      seconds * 1e3,
                      ",\"floor_ms\":",
                      least * 1e3,
                      "}"));
        };
        for (const KernelId kernel : {KernelId::prmac_mma_f16_35x256_128,
                                      KernelId::prmac_mma_f16_35x256_64,
                                      KernelId::prmac_wgmma_f16_35x256,
                                      KernelId::score_f16})
            if (gpu_->traits().runs(kernel))
                measure(info(kernel).name, [&](const ScoreJob& job) { scorer.run(job, kernel); });
        try {
            measure("cuBLAS, reduce_products_f32",
                    [&](const ScoreJob& job) { scorer.run_products(job); });
        } catch (const Error& error) {
            std::printf("cuBLAS: %s\n", error.what());
        }
    }

    std::map<std::string, std::string> options_ = {{"--nets", "resnet-50"},
                                                   {"--sizes", "224"},
                                                   {"--batches", "1"},
                                                   {"--precisions", "fp16"},
                                                   {"--families", "mma"},
                                                   {"--rounds", "5"},
                                                   {"--layers", "0"},
                                                   {"--search", "0"},
                                                   {"--dump", ""},
                                                   {"--json", ""}};
    std::shared_ptr<Gpu> gpu_;
    const Ceiling* ceiling_ = nullptr;
    int rounds_ = 5;
    std::string networks_, search_;  // JSON objects
};

}  // namespace

int bench(const std::string& device, const std::vector<std::string>& arguments) try {
    return Bench(device, arguments).run();
} catch (const std::exception& error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return 1;
}
#else
int bench(const std::string&, const std::vector<std::string>&) {
    std::fprintf(stderr, "bench: this build has no CUDA backend\n");
    return 1;
}
#endif

}  // namespace test
