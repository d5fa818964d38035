// Runs the registered tests: mirror_tests [--seed N] [--device NAME] [--list] [FILTER...], or
// mirror_tests --device cuda --bench ... (bench.cpp). A FILTER is a part of a
// test's name. Prints one line per failed or skipped test and `N passed, N failed, N skipped` last;
// exit code 1 on failure. Tests named Cuda_* run with --device cuda only.
#include <chrono>
#include <cstdio>

#include "bench.h"
#include "harness.h"

namespace test {
namespace {

struct Case {
    const char* name;
    void (*body)();
};

std::vector<Case>& cases() {
    static std::vector<Case> all;
    return all;
}

uint64_t run_seed = 1;
std::string device = "cpu";
std::string current;

uint64_t mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

enum class Outcome { kPassed, kFailed, kSkipped };

Outcome run(const Case& test) {
    current = test.name;
    const int64_t before = mirror_live_objects();  // what an earlier test leaked is its own failure
    try {
        test.body();
        const int64_t live = mirror_live_objects() - before;
        if (live != 0)
            throw Failure(mirror::text(live, " live objects after the test, expected 0"));
        return Outcome::kPassed;
    } catch (const Skipped& skipped) {
        std::printf("SKIP %s: %s\n", test.name, skipped.what());
        return Outcome::kSkipped;
    } catch (const std::exception& error) {
        std::printf("FAIL %s: %s (--seed %llu)\n",
                    test.name,
                    error.what(),
                    static_cast<unsigned long long>(run_seed));
        return Outcome::kFailed;
    }
}

int main(int count, char** arguments) {
    std::vector<std::string> filters;
    bool list = false;
    for (int i = 1; i < count; ++i) {
        const std::string argument = arguments[i];
        if (argument == "--list") {
            list = true;
        } else if (argument == "--seed" && i + 1 < count) {
            run_seed = std::strtoull(arguments[++i], nullptr, 10);
        } else if (argument == "--device" && i + 1 < count) {
            device = arguments[++i];
        } else if (argument == "--bench") {
            return bench(device, {arguments + i + 1, arguments + count});
        } else if (argument.rfind("--", 0) == 0) {
            std::fprintf(stderr,
                         "unknown option %s; use [--seed N] [--device NAME] [--list] [FILTER...]\n",
                         argument.c_str());
            return 2;
        } else {
            filters.push_back(argument);
        }
    }
    int totals[3] = {0, 0, 0}, left_out = 0;
    for (const Case& test : cases()) {
        bool wanted = filters.empty();
        for (const std::string& filter : filters)
            wanted = wanted || std::string(test.name).find(filter) != std::string::npos;
        if (!wanted) continue;
        if (!on_gpu() && std::string_view(test.name).starts_with("Cuda_")) {
            ++left_out;
            continue;
        }
        if (list) {
            std::printf("%s\n", test.name);
            continue;
        }
        const auto start = std::chrono::steady_clock::now();
        ++totals[static_cast<int>(run(test))];
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        if (seconds.count() > 5) std::printf("slow %s: %.1f s\n", test.name, seconds.count());
        std::fflush(stdout);
    }
    if (list) return 0;
    if (totals[0] + totals[1] + totals[2] == 0) {
        std::printf("FAIL: no test matches the filter\n");
        return 1;
    }
    if (left_out > 0) std::printf("%d tests of --device cuda left out\n", left_out);
    std::printf(
        "device %s, seed %llu\n", device.c_str(), static_cast<unsigned long long>(run_seed));
    std::printf("%d passed, %d failed, %d skipped\n", totals[0], totals[1], totals[2]);
    return totals[1] == 0 ? 0 : 1;
}

}  // namespace

Registration::Registration(const char* name, void (*body)()) {
    cases().push_back({name, body});
}

uint64_t seed() {
    return run_seed;
}
const char* device_name() {
    return device.c_str();
}
const std::string& test_name() {
    return current;
}

Rng::Rng(uint64_t stream) : state_(mix(run_seed) ^ mix(stream + 1)) {
    for (char c : current) state_ = mix(state_ ^ static_cast<unsigned char>(c));
}

uint64_t Rng::next() {
    return mix(state_ += 0x9E3779B97F4A7C15u);
}

double Rng::uniform() {
    return static_cast<double>(next() >> 11) * 0x1p-53;
}

std::vector<float> Rng::floats(size_t count, double low, double high) {
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(uniform(low, high));
    return values;
}

std::filesystem::path source_path(const std::string& relative) {
    return std::filesystem::path(MIRROR_SOURCE_DIR) / relative;
}

std::filesystem::path shared_path(const std::string& relative) {
    const char* variable = std::getenv("MIRROR_SHARED");
    const auto folder = variable ? std::filesystem::path(variable) : source_path("../shared");
    const auto path = folder / relative;
    if (!std::filesystem::exists(path))
        throw Skipped(mirror::text(
            "no shared file ", relative, " (set MIRROR_SHARED to the folder of shared test data)"));
    return path;
}

std::filesystem::path scratch_folder() {
    const auto folder = std::filesystem::current_path() / "test-scratch" / current;
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    return folder;
}

void check_throws(const std::function<void()>& body,
                  mirror_status status,
                  const char* text,
                  const char* file,
                  int line) {
    try {
        body();
    } catch (const mirror::Error& error) {
        check_status(error.status(), status, "", error.what(), file, line);
        if (std::string(error.what()).find(text) == std::string::npos)
            fail_at(file,
                    line,
                    mirror::text(
                        "message is \"", error.what(), "\", expected it to hold \"", text, "\""));
        return;
    }
    fail_at(file,
            line,
            mirror::text("nothing was thrown, expected status ", status, " with \"", text, "\""));
}

void check_status(mirror_status actual,
                  mirror_status expected,
                  const char* text,
                  const char* what,
                  const char* file,
                  int line) {
    const std::string message = actual == MIRROR_OK ? "" : mirror_last_error();
    if (actual != expected)
        fail_at(file,
                line,
                mirror::text(what, ": status ", actual, " (", message, "), expected ", expected));
    if (expected != MIRROR_OK && message.find(text) == std::string::npos)
        fail_at(file,
                line,
                mirror::text("message is \"", message, "\", expected it to hold \"", text, "\""));
}

}  // namespace test

int main(int count, char** arguments) {
    return test::main(count, arguments);
}
