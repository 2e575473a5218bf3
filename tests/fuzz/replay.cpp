// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Runs a fuzz target without a fuzzer: each file of a corpus as it is, and then mutations of them from a
// fixed seed, so that a failure can be had again. A crash leaves the input in the file that is named.
// Usage: fuzz_NAME CORPUS-DIRECTORY MUTATIONS, or fuzz_NAME FILE
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

Input g_input;  // what runs now, for the handler

void save_input(int signal) {
  std::FILE* const file = std::fopen("fuzz-crash.bin", "wb");
  if (file != nullptr) {
    std::fwrite(g_input.data(), 1, g_input.size(), file);
    std::fclose(file);
  }
  std::fprintf(stderr, "signal %d; the input is in fuzz-crash.bin\n", signal);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

Input read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void run(Input input) {
  // An allocation of its own size, so that a sanitizer sees a read past the end.
  input.shrink_to_fit();
  g_input = std::move(input);
  LLVMFuzzerTestOneInput(g_input.data(), g_input.size());
}

/// Change a few bytes, cut, repeat, or splice in a piece of another input.
Input mutate(Input input, const std::vector<Input>& corpus, std::mt19937_64& random) {
  const auto below = [&random](std::size_t n) { return n == 0 ? 0 : random() % n; };
  constexpr std::uint8_t k_edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
  for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
    const std::size_t at = below(input.size());
    const auto where = input.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(6)) {
      case 0:
        if (!input.empty()) input[at] = static_cast<std::uint8_t>(random());
        break;
      case 1:
        if (!input.empty()) input[at] = k_edges[below(std::size(k_edges))];
        break;
      case 2:
        if (!input.empty()) input[at] ^= static_cast<std::uint8_t>(1U << below(8));
        break;
      case 3: input.resize(at); break;
      case 4: input.insert(where, 1 + below(16), static_cast<std::uint8_t>(random())); break;
      default: {
        const Input& other = corpus[below(corpus.size())];
        const std::size_t from = below(other.size());
        const auto begin = other.begin() + static_cast<std::ptrdiff_t>(from);
        const auto end = begin + static_cast<std::ptrdiff_t>(below(other.size() - from + 1));
        input.insert(where, begin, end);
      }
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "Usage: %s CORPUS-DIRECTORY MUTATIONS | FILE\n", argv[0]);
    return 2;
  }
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE}) std::signal(signal, save_input);
  if (!std::filesystem::is_directory(argv[1])) {
    run(read(argv[1]));
    return 0;
  }
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());  // the same mutations everywhere
  std::vector<Input> corpus;
  for (const auto& path : paths) corpus.push_back(read(path));
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: the corpus is empty\n", argv[1]);
    return 1;
  }
  for (const Input& input : corpus) run(input);
  run({});
  std::mt19937_64 random(20260131);
  const long mutations = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 0;
  for (long i = 0; i < mutations; ++i) run(mutate(corpus[random() % corpus.size()], corpus, random));
  std::printf("%zu inputs and %ld mutations\n", corpus.size(), mutations);
  return 0;
}
