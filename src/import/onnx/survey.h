// Reasons why a model cannot be imported: each with the first node concerned, the number of others, and the
// nearest remedy.
#pragma once
#include "import/import.h"
#include "import/onnx/proto.h"

namespace hone::onnx {

// Adds it, or counts it with one of the same reason.
void add_problem(std::vector<ImportProblem>&, ImportProblem);
// All in one message; success if there is none.
Status all_problems(const std::vector<ImportProblem>&, int longest);

// "ai.onnx", or the domain in quotes.
std::string domain_name(Text domain);
// Of an operator that is not there: the one that was probably meant, or another way.
std::string fix_for_operator(Text name, Text domain);
// Of a node that its operator's definition refuses.
std::string fix_for(const Error&);

}  // namespace hone::onnx
