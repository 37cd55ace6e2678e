#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <thread>

#include "zeropoint/cpu.h"

namespace zeropoint {
namespace {

/// The value of the first line of /proc/cpuinfo with that key: "model name : ...".
std::string cpuinfo_line(const char* key) {
  std::FILE* file = std::fopen("/proc/cpuinfo", "re");
  std::string value;
  char line[512];
  while (file != nullptr && value.empty() && std::fgets(line, sizeof line, file) != nullptr) {
    const char* colon = std::strchr(line, ':');
    if (colon != nullptr && std::strncmp(line, key, std::strlen(key)) == 0) {
      value = colon + 1;
      value.erase(0, value.find_first_not_of(' '));
      value.erase(value.find_last_not_of("\r\n ") + 1);
    }
  }
  if (file != nullptr) {
    std::fclose(file);
  }
  return value;
}

std::int64_t configured([[maybe_unused]] int name) {
  long bytes = sysconf(name);
  return bytes > 0 ? bytes : 0;
}

}  // namespace

CpuInfo cpu_info() {
  CpuInfo info;
  info.model = cpuinfo_line("model name");
  info.cores = static_cast<int>(std::thread::hardware_concurrency());
#ifdef _SC_LEVEL1_DCACHE_SIZE
  info.level1_bytes = configured(_SC_LEVEL1_DCACHE_SIZE);
  info.level2_bytes = configured(_SC_LEVEL2_CACHE_SIZE);
  info.level3_bytes = configured(_SC_LEVEL3_CACHE_SIZE);
#endif
  return info;
}

}  // namespace zeropoint
