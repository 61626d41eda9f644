// Work in processes of their own, so that a crash or an endless loop ends one piece and not the command.
#pragma once
#include <functional>
#include <string>

#include "base/result.h"

namespace cli {

struct Piece {
  std::string text;    // what the work returned
  std::string mishap;  // why there is no text: "crashed: Segmentation fault"; empty if there is
  double ms = 0;       // from its start to its end
};

// Calls work(i) for i = 0..n-1 in forked processes, `jobs` at a time, each for at most `seconds`, and done(i, piece) here, in
// the order in which they end. done may return false: the rest is then ended and left out. Must be called before this process
// has other threads.
hone::Status in_processes(size_t n, int jobs, int seconds, const std::function<std::string(size_t)>& work,
                          const std::function<bool(size_t, Piece)>& done);

}  // namespace cli
