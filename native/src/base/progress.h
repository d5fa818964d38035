// Progress and cancellation: wraps the host's callback so that inner loops say report(done) and
// unwind with CANCELLED when the host asks to stop.
#pragma once

#include "base/error.h"

namespace mirror {

class Progress {
  public:
    Progress() = default;
    Progress(const mirror_progress* progress, int64_t total) : total_(total) {
        if (progress) progress_ = *progress;
    }
    void report(int64_t done) const {
        if (progress_.callback && progress_.callback(done, total_, progress_.user_data) != 0)
            fail(MIRROR_E_CANCELLED, "cancelled after ", done, " of ", total_);
    }

  private:
    mirror_progress progress_{};
    int64_t total_ = 0;
};

}  // namespace mirror
