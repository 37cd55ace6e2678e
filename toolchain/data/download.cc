#include "zeropoint/toolchain/download.h"

#include "data/fetch.h"

namespace zeropoint::toolchain {

Status download_mnist(const DownloadOptions& options) {
  // Sizes and checksums as TensorFlow Datasets, Chainer and others publish them; MD5 f68b3c2d...,
  // d53e105e..., 9fb629c4... and ec29112d... in torchvision are of the same files.
  static const RemoteFile files[] = {
      {"train-images-idx3-ubyte.gz", 9912422,
       "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
      {"train-labels-idx1-ubyte.gz", 28881,
       "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
      {"t10k-images-idx3-ubyte.gz", 1648877,
       "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
      {"t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
  };
  return fetch_files(files, options);
}

}  // namespace zeropoint::toolchain
