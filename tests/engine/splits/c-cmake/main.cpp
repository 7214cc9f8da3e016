#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>
#include <zlib.h>

int main(int argc, char **argv) {
    if (argc < 2) return 1;
    std::ifstream file(argv[1]);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    unsigned long sum = 0;
    std::thread worker([&] {
        sum = crc32(0, reinterpret_cast<const Bytef *>(text.data()), text.size());
    });
    worker.join();
    std::cout << sum << std::endl;
}
