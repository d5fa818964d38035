// Matches two photographs with Mirror's C++ interface: descriptors, then PR-MAC both ways.
//   mirror_match MODEL.safetensors A.ppm B.ppm [DEVICE]      DEVICE: auto (default), cpu, cuda,
//   cuda:N
// PPM (binary, "P6") because reading it takes fifteen lines; a real host hands over what its
// decoder gives.
#include <fstream>
#include <iostream>

#include "mirror/mirror.hpp"

struct Picture {
    int width = 0, height = 0;
    std::vector<uint8_t> pixels;  // RGB, rows without padding
};

static Picture read_ppm(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string magic;
    Picture picture;
    int maximum = 0;
    file >> magic >> picture.width >> picture.height >> maximum;
    if (!file || magic != "P6" || maximum != 255 || picture.width < 1 || picture.height < 1 ||
        picture.width > 65535 || picture.height > 65535)
        throw std::runtime_error(path + ": not a binary PPM with 8 bits per sample");
    file.get();  // the one byte between header and pixels
    picture.pixels.resize(3 * static_cast<size_t>(picture.width) * picture.height);
    if (!file.read(reinterpret_cast<char*>(picture.pixels.data()), picture.pixels.size()))
        throw std::runtime_error(path + ": pixels are missing");
    return picture;
}

int main(int count, char** arguments) try {
    if (count != 4 && count != 5) {
        std::cerr << "usage: mirror_match MODEL.safetensors A.ppm B.ppm [DEVICE]\n";
        return 2;
    }
    mirror::Device device(count == 5 ? arguments[4] : "auto");
    mirror::Model model(arguments[1]);
    mirror::ExtractorOptions options;
    options.width = options.height = 448;
    mirror::Extractor extractor(device, model, options);
    const auto [regions, dim] = extractor.shape();

    const Picture a = read_ppm(arguments[2]), b = read_ppm(arguments[3]);
    const mirror_image images[] = {mirror::rgb_image(a.pixels, a.width, a.height),
                                   mirror::rgb_image(b.pixels, b.width, b.height)};
    std::vector<float> rows = extractor.run(images);
    mirror::l2_normalize(device, rows, dim);

    mirror::Index index(device, regions, dim);
    index.add(rows);
    for (const auto& match : index.search(rows, {.top = 2}))
        std::cout << match.query << ' ' << match.image << ' ' << match.score / regions << '\n';
    return 0;
} catch (const std::exception& error) {
    std::cerr << "mirror_match: " << error.what() << '\n';
    return 1;
}
