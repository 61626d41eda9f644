// Program: the flat, read-only form of a graph. Engine files store it, sessions run it. It depends on base
// alone: operators and tactics are named by strings and resolved when a session is made.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/attrs.h"
#include "base/mapped_file.h"

namespace hone {

struct ProgramValue {
  enum class Kind : uint8_t { intermediate = 0, input = 1, constant = 2, capture = 3 };
  std::string name;
  ValueType type;  // as known when built; inputs: what the model accepts
  Kind kind = Kind::intermediate;
  int ref = -1;  // constant: index in Engine::constants; capture: value index in the enclosing program
};

struct ProgramStep {
  std::string op, domain;    // OpDef
  std::string name;          // of the node, for messages and profiles
  std::string tactic;        // the one chosen when built; "" or unknown or refusing: the first that accepts
  Attrs attrs;               // bound; attributes of type graph hold a Program
  std::vector<int> in, out;  // value indices; -1: absent
};

struct Program : Subgraph {
  std::string name;
  std::vector<ProgramValue> values;
  std::vector<ProgramStep> steps;    // in an order that can be executed
  std::vector<int> inputs, outputs;  // value indices
};

// Constants as a kernel likes them (format.h says more).
struct PackedConstants {
  std::string layout;          // layout_name() of the kernel that arranged them
  std::vector<int> constants;  // per input of a step: index in EngineData::constants; -1: none
  Tensor bytes;                // u8[n], 64-byte aligned
};

// A plan is a program optimised for a class of targets. target "generic" runs everywhere and is always
// present; others are called as target_name() (base/cpu.h) calls an instruction set.
struct Plan {
  std::string target;
  std::shared_ptr<Program> program;
  std::vector<PackedConstants> packed;
};

// A recorded example: inputs and outputs in the order of the program's.
struct TestVector {
  std::vector<Tensor> inputs, outputs;
};

// What an engine file holds, in memory.
struct EngineData {
  std::map<std::string, std::string>
      meta;  // "name", "producer", "hone.version", "precision", ... keys are documented in format.h
  std::vector<std::string> symbols;  // names of symbolic dimensions
  std::vector<Tensor>
      constants;  // shared by the portable program and all plans; views into the file when read
  std::shared_ptr<Program> portable;  // canonical form, layout- and target-independent
  std::vector<Plan> plans;
  std::vector<TestVector> tests;
  std::shared_ptr<const MappedFile> file;  // that the tensors are views into; null: other memory
};

}  // namespace hone
