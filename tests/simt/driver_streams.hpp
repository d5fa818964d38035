// Streams, events and captured graphs of the emulated driver. With Timing::late nothing runs before
// somebody must wait for it, so a missing wait reads stale data; with Timing::early everything runs
// when it is queued.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

using Work = std::function<void()>;

struct CUstream_st {
    enum Capture { none, active, invalidated };

    int device = 0;
    std::deque<Work> queue;
    Capture capture = none;
    int capture_mode = 0;  // CUstreamCaptureMode
    std::thread::id capturer;
    std::vector<Work> captured;

    void add(Work work, bool early) {
        if (capture == active) {
            captured.push_back(std::move(work));
            return;
        }
        queue.push_back(std::move(work));
        if (early) drain();
    }
    void step() {
        Work work = std::move(queue.front());
        queue.pop_front();
        work();
    }
    void drain() {
        while (!queue.empty()) step();
    }
};

struct CUevent_st {
    struct Record {
        bool done = false;
        CUstream_st* stream = nullptr;  // null before the first cuEventRecord
        bool captured = false;          // the record is a node of a graph
        double seconds = 0;
        void wait() {
            while (!done && !stream->queue.empty()) stream->step();
        }
    };
    int device = 0;
    std::shared_ptr<Record> last = std::make_shared<Record>(Record{true, nullptr, false, 0});
};

// Adds work to a stream under the driver's lock, as cuLaunchKernel does.
void simt_queue(CUstream_st* stream, Work work);

struct CUgraph_st {
    std::vector<Work> work;
};
struct CUgraphExec_st {
    std::vector<Work> work;
};
