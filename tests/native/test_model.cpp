// Model files are not trusted: every kind of malformed safetensors header is refused with file,
// tensor and values; thousands of seeded mutations of good files never crash a loader.
#include <array>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "harness.h"
#include "model/model.h"
#include "model/networks.h"
#include "weights.h"

namespace {

using mirror::SafeTensors;

std::string read_bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
}

void write_bytes(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

// A file from its header's text and data.
std::string file_of(const std::string& header, size_t data_bytes) {
    std::string bytes(8, '\0');
    const uint64_t size = header.size();
    std::memcpy(bytes.data(), &size, sizeof size);
    return bytes + header + std::string(data_bytes, '\1');
}

TEST(SafeTensors_MalformedFiles_AreRefusedWithTheReason) {
    const std::string path = (test::scratch_folder() / "bad.safetensors").string();
    const auto one = [](const std::string& body) { return "{\"t\":{" + body + "}}"; };
    std::string huge(8, '\0');
    huge[6] = 1;  // 2^48
    const struct {
        std::string bytes;
        const char* reason;
    } cases[] = {
        {"", "0 bytes, expected at least 8"},
        {"1234567", "7 bytes, expected at least 8"},
        {huge + "{}", "281474976710656 bytes, expected at most 2"},
        {file_of("", 0), "expected a value"},
        {file_of("[]", 0), "header"},
        {file_of("{} x", 0), "text after the end"},
        {file_of("{", 0), "expected a key"},
        {file_of("{\"a\xFF\":1}", 0), "invalid UTF-8"},
        {file_of(std::string(40, '['), 0), "nested deeper than 32"},
        {file_of("{}", 3), "3 bytes after the last tensor"},
        {file_of("{\"__metadata__\":{\"network\":5}}", 0), "\"network\""},
        {file_of("{\"__metadata__\":7}", 0), "__metadata__"},
        {file_of("{\"t\":5}", 0), "tensor t"},
        {file_of(one("\"shape\":[1],\"data_offsets\":[0,4]"), 4), "dtype"},
        {file_of(one("\"dtype\":\"F32\",\"data_offsets\":[0,4]"), 4), "shape"},
        {file_of(one("\"dtype\":\"F32\",\"shape\":[1]"), 4), "data_offsets"},
        {file_of(one("\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]"), 4),
         "unknown dtype \"F33\""},
        {file_of(one("\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]"), 4), "shape"},
        {file_of(one("\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]"), 4), "shape"},
        {file_of(one("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]"), 4),
         "3 values, expected 2"},
        {file_of(one("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]"), 4), "4 to 0"},
        {file_of(one("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]"), 4),
         "0 to 8, but the file has 4"},
        {file_of(one("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]"), 4),
         "span 4 bytes, but F32 [2] takes 8"},
        {file_of(one("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],"
                     "\"data_offsets\":[0,4]"),
                 4),
         "more than 2^63"},
        {file_of(one("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1"), 4),
         "unknown member \"x\""},
        {file_of(one("\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]"), 2),
         "starts at byte 1, expected 0"},
        {file_of("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                 "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
                 3),
         "neither overlap nor leave holes"},
        {file_of("{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
                 "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
                 0),
         "duplicate key \"a\""},
    };
    for (const auto& [bytes, reason] : cases) {
        write_bytes(path, bytes);
        CHECK_THROWS(SafeTensors::open(path), MIRROR_E_FORMAT, reason);
        CHECK_THROWS(SafeTensors::open(path), MIRROR_E_FORMAT, "bad.safetensors: ");
        mirror_model* model = nullptr;
        CHECK_FAILS(mirror_model_load(&model, path.c_str(), "googlenet"), MIRROR_E_FORMAT, reason);
        mirror_whitening* whitening = nullptr;
        CHECK_FAILS(mirror_whitening_load(&whitening, path.c_str()), MIRROR_E_FORMAT, reason);
    }
    CHECK_THROWS(SafeTensors::open(path + ".none"), MIRROR_E_NOT_FOUND, ".none");
    CHECK_THROWS(SafeTensors::open(test::scratch_folder().string()), MIRROR_E_IO, "");
}

TEST(SafeTensors_WrittenAndRead_IsTheSame) {
    const std::string path = (test::scratch_folder() / "\xC3\xA4.safetensors").string();
    const std::array<float, 3> floats = {1.5f, -0.0f, 3e-45f};
    const std::array<double, 1> scalar = {0.1};
    const mirror::Tensor tensors[] = {{"z/\"q\"", "F32", {1, 3}, std::as_bytes(std::span(floats))},
                                      {"a", "F64", {}, std::as_bytes(std::span(scalar))},
                                      {"none", "I64", {0, 7}, {}}};
    mirror::write_safetensors(path, tensors, {{"k", "line\nbreak \xE2\x82\xAC"}});
    const auto file = SafeTensors::open(path);
    CHECK_EQ(file.tensors().size(), size_t{3});
    CHECK_EQ(file.metadata("k"), "line\nbreak \xE2\x82\xAC");
    CHECK_EQ(file.metadata("absent"), "");
    const auto read = file.values<float>(file.at("z/\"q\""));
    CHECK(std::memcmp(read.data(), floats.data(), sizeof floats) == 0);
    CHECK_EQ(file.values<double>(file.at("a"))[0], 0.1);
    CHECK_EQ(file.at("a").elements(), 1);
    CHECK_EQ(file.at("none").elements(), 0);
    CHECK_THROWS(
        file.values<double>(file.at("z/\"q\"")), MIRROR_E_FORMAT, "dtype F32, expected F64");
    CHECK_THROWS(file.at("b"), MIRROR_E_NOT_FOUND, "tensor b is missing");
    const mirror::Tensor wrong[] = {{"w", "F32", {2}, std::as_bytes(std::span(floats))}};
    CHECK_THROWS(mirror::write_safetensors(path, wrong, {}), MIRROR_E_INVALID_ARGUMENT, "12 bytes");
    CHECK_EQ(SafeTensors::open(path).tensors().size(), size_t{3});  // the old file is untouched
}

TEST(ModelLoad_WrongContents_AreNamed) {
    const std::string path = (test::scratch_folder() / "m.safetensors").string();
    const std::string network = "half_googlenet";
    const auto variables = mirror::build_network(network).variables();
    std::vector<float> zeros(1 << 20);
    const auto load =
        [&](auto change, std::map<std::string, std::string> metadata, const char* name) {
            std::vector<mirror::Tensor> tensors;
            for (const auto& variable : variables) {
                mirror::Tensor t{variable.name, "F32", variable.shape, {}};
                t.bytes = std::as_bytes(std::span(zeros).first(static_cast<size_t>(t.elements())));
                tensors.push_back(t);
            }
            change(tensors);
            mirror::write_safetensors(path, tensors, metadata);
            mirror_model* model = nullptr;
            const mirror_status status = mirror_model_load(&model, path.c_str(), name);
            mirror_model_destroy(model);
            return status;
        };
    const auto keep = [](auto&) {};
    CHECK_OK(load(keep, {{"network", network}}, nullptr));
    CHECK_OK(load(keep, {}, network.c_str()));
    CHECK_FAILS(load(keep, {}, nullptr), MIRROR_E_FORMAT, "no \"network\"");
    CHECK_FAILS(load(keep, {{"network", "vgg"}}, nullptr), MIRROR_E_FORMAT, "\"vgg\"");
    CHECK_FAILS(load(keep, {}, "vgg"), MIRROR_E_NOT_FOUND, "googlenet");
    CHECK_FAILS(load([](auto& t) { t.erase(t.begin()); }, {}, network.c_str()),
                MIRROR_E_NOT_FOUND,
                (variables[0].name + " " + mirror::shape_text(variables[0].shape)).c_str());
    CHECK_FAILS(load(
                    [](auto& t) {
                        std::swap(t[1].shape[0], t[1].shape.back());
                        t[1].shape.push_back(1);
                    },
                    {},
                    network.c_str()),
                MIRROR_E_FORMAT,
                mirror::text("expected ", mirror::shape_text(variables[1].shape)).c_str());
    CHECK_FAILS(load([](auto& t) { t[0].dtype = "I32"; }, {}, network.c_str()),
                MIRROR_E_FORMAT,
                "dtype I32, expected F32");
}

// A small good file with random damage: some bytes changed, cut, doubled, or numbers of the header
// replaced by extreme ones.
std::string mutate(std::string bytes, test::Rng& rng) {
    constexpr const char* extremes[] = {"-1",
                                        "0",
                                        "9223372036854775807",
                                        "18446744073709551616",
                                        "1e400",
                                        "4294967296",
                                        "[]",
                                        "null",
                                        "\"\\ud800\"",
                                        "{"};
    for (int64_t edits = 1 + rng.index(4); edits > 0 && !bytes.empty(); --edits) {
        // Mostly within the length and the header.
        const size_t at = static_cast<size_t>(rng.index(static_cast<int64_t>(
            rng.index(4) ? std::min<size_t>(bytes.size(), 400) : bytes.size())));
        switch (rng.index(5)) {
            case 0:
                bytes[at] = static_cast<char>(rng.next());
                break;
            case 1:
                bytes.resize(at);
                break;
            case 2:
                bytes.insert(at, bytes.substr(at, static_cast<size_t>(rng.index(64))));
                break;
            case 3:
                bytes.erase(at, static_cast<size_t>(rng.index(16)));
                break;
            default: {
                const size_t digit = bytes.find_first_of("0123456789", at);
                if (digit != std::string::npos)
                    bytes.replace(digit, 1, extremes[rng.index(std::size(extremes))]);
            }
        }
    }
    return bytes;
}

TEST(Loaders_MutatedFiles_NeverCrash) {
    const char* setting = std::getenv("MIRROR_FUZZ_RUNS");
    const int64_t runs = setting ? std::strtoll(setting, nullptr, 10) : 2000;
    const std::string path = (test::scratch_folder() / "fuzz.safetensors").string();
    const double one[] = {0.5, -1, 2, 1, 0, 0, 1, 0, 3, 0.25};
    mirror_whitening* whitening = nullptr;
    CHECK_OK(mirror_whitening_create(&whitening, one, one + 3, one + 8, 2, 3));
    CHECK_OK(mirror_whitening_save(whitening, path.c_str()));
    mirror_whitening_destroy(whitening);
    const std::string good_whitening = read_bytes(path);
    const float values[16] = {};
    const mirror::Tensor tensors[] = {
        {"conv1_7x7_s2/bias", "F32", {16}, std::as_bytes(std::span(values))},
        {"conv1_7x7_s2/kernel", "F32", {2, 2, 2, 2}, std::as_bytes(std::span(values))}};
    mirror::write_safetensors(path, tensors, {{"network", "googlenet"}, {"origin", "fuzz"}});
    const std::string good_model = read_bytes(path);
    test::Rng rng;
    int64_t accepted = 0;
    for (int64_t run = 0; run < runs; ++run) {
        write_bytes(path, mutate(run % 2 ? good_model : good_whitening, rng));
        mirror_model* model = nullptr;
        CHECK(mirror_model_load(&model, path.c_str(), run % 3 ? nullptr : "googlenet") < 0);
        const mirror_status status = mirror_whitening_load(&whitening, path.c_str());
        if (status == MIRROR_OK) {
            ++accepted;  // damage to a value only
            mirror_whitening_destroy(whitening);
        } else {
            CHECK(status == MIRROR_E_FORMAT || status == MIRROR_E_NOT_FOUND);
            CHECK(std::strstr(mirror_last_error(), "fuzz.safetensors") != nullptr);
        }
    }
    CHECK(accepted < runs);
}

}  // namespace
