#include "tests/datasets/fetch_sample.h"

#include <cstdio>
#include <cstring>

#include "datasets/images/jpeg.h"
#include "harness/base/error.h"

namespace tailmark {
using std::string;

string NoisyPicture(int seed, int width, int height) {
  Image image{.width = width, .height = height};
  std::uint32_t state = static_cast<std::uint32_t>(seed) * 2654435761U + 1;
  for (int i = 0; i < image.width * image.height * 3; ++i) {
    state = state * 1664525U + 1013904223U;
    image.rgb.push_back(static_cast<std::uint8_t>(state >> 24));
  }
  return EncodeJpeg(image);
}

string TarEntry(const string& name, const string& body, char type) {
  string header(512, '\0');
  name.copy(header.data(), 100);
  std::snprintf(header.data() + 100, 8, "%07o", 0644);
  std::snprintf(header.data() + 124, 12, "%011zo", body.size());
  header[156] = type;
  std::memcpy(header.data() + 257, "ustar\00000", 8);
  std::memset(header.data() + 148, ' ', 8);
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(header.data() + 148, 8, "%06o", sum);
  return header + body + string((512 - body.size() % 512) % 512, '\0');
}

string PictureArchive(const string& folder, int first) {
  string tar = TarEntry(folder, "", '5');
  for (int i = first; i < first + 6; ++i) {
    tar += TarEntry(StrCat(folder, "JPEGImages/", i, ".jpg"), NoisyPicture(i));
    tar +=
        TarEntry(StrCat(folder, "Annotations/", i, ".xml"), string(700, 'x'));
  }
  return tar + string(1024, '\0');
}

}  // namespace tailmark
