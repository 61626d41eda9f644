// Small models with many features: what damage is done to in tests, and the seeds of the fuzzer.
#pragma once
#include "onnx_builder.h"

namespace hone::test {

std::string rich_model();  // functions, nested graphs, constants of all kinds, symbols, metadata
std::vector<std::pair<std::string, std::string>> seed_models();  // name, bytes

}  // namespace hone::test
