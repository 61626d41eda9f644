#include "runtime/prepack.h"

#include <algorithm>

#include "runtime/plan.h"

namespace hone {

Result<EngineData> with_packed_plan(const Engine& engine, std::span<const int> threads) {
  const Program& from = *engine.program().program;
  std::vector<Shape> shapes;
  for (int v : from.inputs) shapes.push_back(from.values[static_cast<size_t>(v)].type.shape);
  EngineData data = engine.data();
  if (!std::all_of(shapes.begin(), shapes.end(), [](const Shape& s) { return s.all_known(); })) return data;
  auto program = std::make_shared<Program>(from);
  for (int n : threads) {
    HONE_TRY(const auto plan, make_plan(engine, shapes, n));
    const auto keep = [&](const PlanStep& step) {  // the same tactics for any number
      if (step.tactic) program->steps[static_cast<size_t>(step.step)].tactic = step.tactic->name;
    };
    for (const PlanStep& step : plan->steps) {
      keep(step);
      for (const PlanStep& link : step.chain) keep(link);
    }
  }
  std::vector<PackedConstants> packed = engine.all_packed();
  if (packed.empty()) return data;
  const std::string target = target_name(engine.isa());
  std::erase_if(data.plans, [&](const Plan& p) { return p.target == target; });
  data.plans.push_back({target, std::move(program), std::move(packed)});
  return data;
}

}  // namespace hone
