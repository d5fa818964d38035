// Shows that the emulator tests can fail: plants every bug of mutations/*.txt in a copy of
// kernels/, builds the test it names against that copy and runs it. A bug is caught when the tests
// fail (a wrong result, a deadlock, an address out of range); one that survives, or whose text is
// not found exactly once, is a failure here.
//
//   simt_mutations [FILTER]   only bugs whose file, reason or test contains FILTER
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace fs = std::filesystem;

namespace {

const fs::path source = MIRROR_SOURCE_DIR;

struct Bug {
    std::string test, filter, file, find, replace, why;
    std::string text() const { return file + ": " + why; }
};

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(in), {}};
}

// Blocks of "key: value" lines, separated by empty lines; '#' starts a comment line.
std::vector<Bug> bugs(const std::string& filter) {
    std::vector<Bug> result;
    for (const auto& entry : fs::directory_iterator(source / "tests/simt/mutations")) {
        std::istringstream lines(read(entry.path()) + "\n\n");
        std::map<std::string, std::string> keys;
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with('#')) continue;
            if (const size_t colon = line.find(':'); colon != std::string::npos && !line.empty()) {
                const size_t value = line.find_first_not_of(' ', colon + 1);
                keys[line.substr(0, colon)] = value == std::string::npos ? "" : line.substr(value);
            } else if (!keys.empty()) {
                Bug bug{keys["test"],
                        keys["filter"],
                        keys["file"],
                        keys["find"],
                        keys["replace"],
                        keys["why"]};
                if (bug.test.empty() || bug.file.empty() || bug.find.empty() || bug.why.empty())
                    throw std::runtime_error(entry.path().string() +
                                             ": a block without test, file, find or why");
                if ((bug.text() + bug.test).find(filter) != std::string::npos)
                    result.push_back(bug);
                keys.clear();
            }
        }
    }
    return result;
}

std::string quote(const fs::path& path) {
    return "'" + path.string() + "'";
}

// Empty when the planted bug was caught, else what is wrong.
std::string plant(const Bug& bug, const fs::path& folder) {
    fs::remove_all(folder);
    fs::create_directories(folder);
    fs::copy(source / "kernels", folder / "kernels", fs::copy_options::recursive);
    const fs::path file = folder / bug.file;
    std::string text = read(file);
    const size_t at = text.find(bug.find);
    if (at == std::string::npos) return "the text to replace is not there: " + bug.find;
    if (text.find(bug.find, at + 1) != std::string::npos)
        return "the text to replace occurs more than once: " + bug.find;
    text.replace(at, bug.find.size(), bug.replace);
    std::ofstream(file, std::ios::binary) << text;

    const fs::path log = folder / "log", program = folder / "test";
    const std::string compile =
        std::string(MIRROR_COMPILER) +
        " -std=c++20 -O1 -march=native -ffp-contract=off -DMIRROR_SOURCE_DIR='\"" +
        source.string() + "\"'" + " -I" + quote(folder / "kernels") + " -I" +
        quote(folder / "kernels/common") + " -I" + quote(source / "tests/simt") + " -I" +
        quote(source / "tests/native") + " -I" + quote(source / "native/src") + " -I" +
        quote(source / "native/include") + " " + quote(source / "tests/simt" / bug.test) + " " +
        MIRROR_MAIN_OBJECTS + " " + MIRROR_LIBRARY + " -Wl,-rpath," +
        quote(fs::path(MIRROR_LIBRARY).parent_path()) + " -pthread -o " + quote(program) + " >" +
        quote(log) + " 2>&1";
    if (std::system(compile.c_str()) != 0) return "does not compile: " + read(log).substr(0, 2000);
    const std::string run =
        "timeout 300 " + quote(program) + " " + bug.filter + " >" + quote(log) + " 2>&1";
    const int status = std::system(run.c_str());
    const std::string output = read(log);
    if (output.find("0 passed, 0 failed") != std::string::npos)
        return "the filter matches no test: " + bug.filter;
    if (status != 0) return "";
    std::string seen = output.substr(0, 500);  // on one line: a summary of its own would be counted
    std::replace(seen.begin(), seen.end(), '\n', ' ');
    return "not caught: " + seen;
}

}  // namespace

int main(int count, char** arguments) {
    try {
        const std::vector<Bug> list = bugs(count > 1 ? arguments[1] : "");
        const fs::path scratch = fs::current_path() / "mutations";
        std::atomic<size_t> next{0};
        std::mutex lock;
        int caught = 0, missed = 0;
        const auto work = [&](int worker) {
            for (size_t i; (i = next++) < list.size();) {
                std::string problem;
                try {
                    problem = plant(list[i], scratch / std::to_string(worker));
                } catch (const std::exception& error) {
                    problem = error.what();
                }
                const std::lock_guard guard(lock);
                ++(problem.empty() ? caught : missed);
                std::printf("%s %s%s%s\n",
                            problem.empty() ? "caught" : "FAIL",
                            list[i].text().c_str(),
                            problem.empty() ? "" : ": ",
                            problem.c_str());
                std::fflush(stdout);
            }
        };
        std::vector<std::thread> workers;
        for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i)
            workers.emplace_back(work, static_cast<int>(i));
        for (std::thread& worker : workers) worker.join();
        fs::remove_all(scratch);
        std::printf("%d passed, %d failed, 0 skipped\n", caught, missed);
        return missed == 0 && caught > 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "simt_mutations: %s\n", error.what());
        return 1;
    }
}
