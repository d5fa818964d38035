// See whiten.cuh and covariance.cuh.
#include "whiten/whiten.cuh"

#include "whiten/covariance.cuh"

extern "C" __global__ void __launch_bounds__(kWhitenThreads) whiten_f64(const WhitenParams p) {
    whiten::whiten(p);
}
extern "C" __global__ void __launch_bounds__(kSumThreads) column_sums_f64(const ColumnSumsParams p) {
    whiten::column_sums(p);
}
extern "C" __global__ void __launch_bounds__(kCovarianceThreads, 2) covariance_f64(const CovarianceParams p) {
    whiten::covariance(p);
}
extern "C" __global__ void __launch_bounds__(kCenterThreads) center_f64(const CenterParams p) {
    whiten::center(p);
}
