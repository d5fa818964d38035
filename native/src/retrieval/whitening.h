// Whitening: PCA that maps every kept component to unit variance, then to the unit sphere (Jegou &
// Chum 2012; scikit-learn's PCA(whiten=True)), or a projection learned from matching pairs.
// Immutable; all of it in double.
//
// Components are ordered by decreasing variance. An eigenvector's sign is arbitrary: the exact
// solver makes the entry largest in magnitude positive, the randomized one follows scikit-learn's
// svd_flip. Neither sign nor scale can change a score, because rows are L2-normalised afterwards
// and only dot products and distances between them are used.
#pragma once

#include <string>
#include <vector>

#include "backend/backend.h"

namespace mirror {

class Whitening {
  public:
    // rows [count, dim]; options.progress counts rows.
    static Whitening fit(Backend& backend,
                         const float* rows,
                         int64_t count,
                         int32_t dim,
                         const mirror_whitening_options& options);
    // queries[i] matches positives[i], both [count, dim]; see mirror_whitening_learn.
    static Whitening learn(Backend& backend,
                           const float* queries,
                           const float* positives,
                           int64_t count,
                           int32_t dim,
                           int32_t output_dim);
    // mean [input_dim], components [output_dim, input_dim], variances [output_dim]; explained may
    // be NaN.
    Whitening(std::vector<double> mean,
              std::vector<double> components,
              std::vector<double> variances,
              double explained);
    static Whitening load(const std::string& path);
    void save(const std::string& path) const;

    int input_dim() const { return static_cast<int>(mean_.size()); }
    int output_dim() const { return static_cast<int>(variances_.size()); }
    double explained() const { return explained_; }
    const std::vector<double>& mean() const { return mean_; }
    const std::vector<double>& components() const { return components_; }
    const std::vector<double>& variances() const { return variances_; }

    // out [count, output_dim].
    void apply(Backend& backend, const float* rows, int64_t count, float* out) const;

  private:
    std::vector<double> mean_, components_, variances_;
    double explained_;
    std::vector<double> projection_, offset_;  // components / sqrt(variances), and that times mean
};

}  // namespace mirror
