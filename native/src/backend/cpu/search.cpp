// The store of descriptors and exact search over it. Rows live in chunks, so adding never copies
// what is there. Search walks blocks of queries; within a block, every thread takes (query tile,
// span of the database), streams its scores into a TopK per query, and the spans of a query are
// merged at the end of the block. Memory depends on the threads and k, not on the size of the
// store: the N x N x R x R scores never exist.
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "backend/cpu/score_tile.h"
#include "backend/cpu/topk.h"

namespace mirror {
namespace {

constexpr int64_t kChunkFloats = 4 << 20;  // 16 MB
constexpr int kUnitsPerThread = 4;         // spans are this fine, so that threads finish together

void require_gemm(const std::atomic<bool>& failed) {
    if (failed) fail(MIRROR_E_INTERNAL, "dnnl_sgemm failed within a score tile");
}

std::vector<ScoreTile> make_tiles(const ScoreKind& kind) {
    return std::vector<ScoreTile>(static_cast<size_t>(omp_get_max_threads()), ScoreTile(kind));
}

// The k best of `items` into ids and scores, best first.
void write_best(
    std::vector<Candidate>& items, int64_t k, bool smallest, int32_t* ids, float* scores) {
    std::partial_sort(items.begin(), items.begin() + k, items.end(), better);
    for (int64_t i = 0; i < k; ++i) {
        ids[i] = items[i].id;
        scores[i] = smallest ? -items[i].key : items[i].key;
    }
}

class CpuStore final : public Store {
  public:
    CpuStore(int threads, int regions, int dim)
        : threads_(threads),
          regions_(regions),
          image_floats_(static_cast<int64_t>(regions) * dim),
          dim_(dim),
          tile_images_(ScoreTile::row_images(regions)),
          chunk_images_(std::max<int64_t>(1, kChunkFloats / image_floats_ / tile_images_) *
                        tile_images_) {}

    // All or nothing: chunks are allocated before the size grows.
    void add(const float* rows, int64_t count) override {
        const int64_t chunks = (size_ + count + chunk_images_ - 1) / chunk_images_;
        while (static_cast<int64_t>(chunks_.size()) < chunks)
            chunks_.push_back(
                std::make_unique_for_overwrite<float[]>(chunk_images_ * image_floats_));
        for (int64_t done = 0; done < count;) {
            const int64_t at = (size_ + done) % chunk_images_;
            const int64_t images = std::min(count - done, chunk_images_ - at);
            std::copy_n(rows + done * image_floats_,
                        images * image_floats_,
                        chunks_[(size_ + done) / chunk_images_].get() + at * image_floats_);
            done += images;
        }
        size_ += count;
    }

    int64_t size() const override { return size_; }

    void truncate(int64_t size) override { size_ = size; }

    void read(int64_t image, float* out) const override {
        std::copy_n(image_rows(image), image_floats_, out);
    }

    void search(const SearchJob& job) const override;

  private:
    const float* image_rows(int64_t image) const {
        return chunks_[image / chunk_images_].get() + image % chunk_images_ * image_floats_;
    }

    int threads_;
    int regions_;
    int64_t image_floats_;
    int dim_;
    int tile_images_;
    int64_t chunk_images_;  // a multiple of tile_images_: no tile crosses chunks
    int64_t size_ = 0;
    std::vector<std::unique_ptr<float[]>> chunks_;
};

void CpuStore::search(const SearchJob& job) const {
    const ThreadScope scope(threads_);
    const bool smallest = job.metric == MIRROR_METRIC_EUCLIDEAN;
    const int tile_queries = ScoreTile::query_images(regions_);
    const int64_t database_tiles = (size_ + tile_images_ - 1) / tile_images_;
    const int64_t all_tiles = (job.count + tile_queries - 1) / tile_queries;
    const int64_t block_tiles = std::min<int64_t>(threads_, all_tiles);  // of queries
    if (block_tiles == 0) return;
    const int64_t units = static_cast<int64_t>(kUnitsPerThread) * threads_;
    const int64_t span_tiles =
        (database_tiles * block_tiles + units - 1) / units;  // of the database
    const int64_t spans = (database_tiles + span_tiles - 1) / span_tiles;

    std::vector<ScoreTile> tiles = make_tiles({regions_, dim_, job.similarity, job.metric});
    const int64_t tile_scores = static_cast<int64_t>(tile_queries) * tile_images_;
    std::vector<float> scores(tiles.size() * tile_scores);
    const int64_t stream = std::min(size_, span_tiles * tile_images_);
    const int64_t block_queries = std::min(block_tiles * tile_queries, job.count);
    std::vector<TopK> best;  // [block_queries, spans]
    for (int64_t i = 0; i < block_queries * spans; ++i)
        best.emplace_back(std::min<int64_t>(job.k, stream), stream);
    std::vector<Candidate> merged;
    std::atomic<bool> failed = false;

    job.progress.report(0);
    for (int64_t first = 0; first < job.count; first += block_queries) {
        const int64_t block = std::min(block_queries, job.count - first);
        for (TopK& selection : best) selection.clear();
#pragma omp parallel for collapse(2) schedule(dynamic)
        for (int64_t span = 0; span < spans; ++span) {
            for (int64_t q = 0; q < block; q += tile_queries) {
                const int thread = omp_get_thread_num();
                const int nq = static_cast<int>(std::min<int64_t>(tile_queries, block - q));
                const int64_t end = std::min(size_, (span + 1) * span_tiles * tile_images_);
                float* tile = scores.data() + thread * tile_scores;
                for (int64_t d = span * span_tiles * tile_images_; d < end && !failed;
                     d += tile_images_) {
                    const int nd = static_cast<int>(std::min<int64_t>(tile_images_, end - d));
                    if (!tiles[thread].run(job.queries + (first + q) * image_floats_,
                                           nq,
                                           image_rows(d),
                                           nd,
                                           tile,
                                           tile_images_))
                        failed = true;
                    for (int i = 0; i < nq; ++i)
                        best[(q + i) * spans + span].push(
                            tile + static_cast<int64_t>(i) * tile_images_, nd, d, smallest);
                }
            }
        }
        require_gemm(failed);
        for (int64_t q = 0; q < block; ++q) {
            merged.clear();
            for (int64_t span = 0; span < spans; ++span) {
                const auto& items = best[q * spans + span].items();
                merged.insert(merged.end(), items.begin(), items.end());
            }
            write_best(merged,
                       job.k,
                       smallest,
                       job.ids + (first + q) * job.k,
                       job.scores + (first + q) * job.k);
        }
        job.progress.report(first + block);
    }
}

}  // namespace

std::unique_ptr<Store> CpuBackend::make_store(int regions, int dim, int32_t) {
    return std::make_unique<CpuStore>(threads_, regions, dim);
}

void CpuBackend::similarity(const float* queries,
                            int64_t nq,
                            const float* rows,
                            int64_t nd,
                            int regions,
                            int dim,
                            int32_t similarity,
                            int32_t metric,
                            float* scores) {
    const ThreadScope scope(threads_);
    std::vector<ScoreTile> tiles = make_tiles({regions, dim, similarity, metric});
    const int64_t image_floats = static_cast<int64_t>(regions) * dim;
    const int query_step = ScoreTile::query_images(regions),
              row_step = ScoreTile::row_images(regions);
    std::atomic<bool> failed = false;
#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int64_t q = 0; q < nq; q += query_step) {
        for (int64_t d = 0; d < nd; d += row_step) {
            if (failed) continue;
            const int height = static_cast<int>(std::min<int64_t>(query_step, nq - q));
            const int width = static_cast<int>(std::min<int64_t>(row_step, nd - d));
            if (!tiles[omp_get_thread_num()].run(queries + q * image_floats,
                                                 height,
                                                 rows + d * image_floats,
                                                 width,
                                                 scores + q * nd + d,
                                                 nd))
                failed = true;
        }
    }
    require_gemm(failed);
}

void CpuBackend::topk(const float* scores,
                      int64_t rows,
                      int64_t n,
                      int k,
                      bool smallest,
                      int32_t* ids,
                      float* values) {
    const ThreadScope scope(threads_);
    std::vector<TopK> best;
    std::vector<std::vector<Candidate>> sorted(static_cast<size_t>(omp_get_max_threads()));
    for (auto& items : sorted) {
        best.emplace_back(k, n);
        items.reserve(best.back().capacity());
    }
#pragma omp parallel for schedule(dynamic)
    for (int64_t row = 0; row < rows; ++row) {
        TopK& selection = best[omp_get_thread_num()];
        auto& items = sorted[omp_get_thread_num()];
        selection.clear();
        selection.push(scores + row * n, n, 0, smallest);
        items.assign(selection.items().begin(), selection.items().end());
        write_best(items, k, smallest, ids + row * k, values + row * k);
    }
}

}  // namespace mirror
