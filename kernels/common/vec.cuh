// 16-byte vectors of activations: the unit in which every memory-bound kernel reads and writes.
// Vec<T>::N elements, widened to float in registers.
#pragma once
#include "ptx.cuh"

template <class T>
struct Vec {  // f16, bf16
    static constexpr int N = 8;
    using Raw = uint4;  // as it lies in memory: many loads in flight in few registers
    float v[N];
    MIRROR_FN static Raw fill(float value) {
        const u32 word = gpu::pack2<T>(value, value);
        return {word, word, word, word};
    }
    MIRROR_FN void load(const T* p) { unpack(*reinterpret_cast<const Raw*>(p)); }
    MIRROR_FN void unpack(const Raw& raw) {
        const u32 words[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const float2 pair = gpu::unpack2<T>(words[i]);
            v[2 * i] = pair.x, v[2 * i + 1] = pair.y;
        }
    }
    MIRROR_FN void store(T* p) const {
        *reinterpret_cast<uint4*>(p) = {gpu::pack2<T>(v[0], v[1]),
                                        gpu::pack2<T>(v[2], v[3]),
                                        gpu::pack2<T>(v[4], v[5]),
                                        gpu::pack2<T>(v[6], v[7])};
    }
};

template <>
struct Vec<float> {
    static constexpr int N = 4;
    using Raw = float4;
    float v[N];
    MIRROR_FN static Raw fill(float value) { return {value, value, value, value}; }
    MIRROR_FN void load(const float* p) { unpack(*reinterpret_cast<const Raw*>(p)); }
    MIRROR_FN void unpack(const Raw& raw) {
        v[0] = raw.x, v[1] = raw.y, v[2] = raw.z, v[3] = raw.w;
    }
    MIRROR_FN void store(float* p) const {
        *reinterpret_cast<float4*>(p) = {v[0], v[1], v[2], v[3]};
    }
};

// One element; for margins and ragged rows.
template <class T>
MIRROR_FN float load_one(const T* p) {
    return gpu::unpack2<T>(p->bits).x;
}
template <>
MIRROR_FN float load_one<float>(const float* p) {
    return *p;
}
template <class T>
MIRROR_FN void store_one(T* p, float v) {
    p->bits = u16(gpu::pack2<T>(v, 0.f));
}
template <>
MIRROR_FN void store_one<float>(float* p, float v) {
    *p = v;
}
