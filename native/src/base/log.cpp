#include "base/log.h"

#include <mutex>

namespace mirror {
namespace {

struct Sink {
    mirror_log_fn callback = nullptr;
    void* user_data = nullptr;
};

std::mutex sink_mutex;
Sink sink;

}  // namespace

void set_log(mirror_log_fn callback, void* user_data) {
    std::lock_guard lock(sink_mutex);
    sink = {callback, user_data};
}

void log(int32_t level, const std::string& message) {
    Sink current;
    {
        std::lock_guard lock(sink_mutex);
        current = sink;
    }
    if (current.callback) current.callback(level, message.c_str(), current.user_data);
}

}  // namespace mirror
