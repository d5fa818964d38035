// Progress and cancellation: wraps the host's callback so that inner loops say report(done) and
// unwind with CANCELLED when the host asks to stop.
#pragma once

#include <atomic>

#include "base/error.h"

namespace mirror {

class Progress {
  public:
    Progress() = default;
    Progress(const mirror_progress* progress, int64_t total) : total_(total) {
        if (progress) progress_ = *progress;
    }

    // Of one of several parts of the work that run at once. All stop with CANCELLED once `stop` is
    // set; the part on the calling thread also reports, its `units` standing for the whole.
    Progress part_here(const std::atomic<bool>& stop, int64_t units) const {
        Progress part = *this;
        part.stop_ = &stop, part.units_ = units;
        return part;
    }
    static Progress part_elsewhere(const std::atomic<bool>& stop) {
        Progress part;
        part.stop_ = &stop;
        return part;
    }

    void report(int64_t done) const {
        if (stop_ && *stop_) fail(MIRROR_E_CANCELLED, "cancelled with another part of the work");
        if (!progress_.callback || done == units_) return;  // the others may not have ended yet
        if (units_ > 0) done = done * total_ / units_;
        if (progress_.callback(done, total_, progress_.user_data) != 0)
            fail(MIRROR_E_CANCELLED, "cancelled after ", done, " of ", total_);
    }

  private:
    mirror_progress progress_{};
    int64_t total_ = 0;
    const std::atomic<bool>* stop_ = nullptr;
    int64_t units_ = -1;  // of a part
};

}  // namespace mirror
