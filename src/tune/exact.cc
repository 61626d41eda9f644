#include "tune/exact.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "runtime/session.h"

namespace hone {

Result<std::shared_ptr<const Engine>> with_tactics(const Engine& engine, const Tactics& tactics) {
  EngineData data = engine.data();
  auto program = std::make_shared<Program>(*engine.program().program);
  for (size_t i = 0; i < program->steps.size(); i++)
    if (tactics[i]) program->steps[i].tactic = tactics[i]->name;
  const std::string target = target_name(engine.isa());
  std::erase_if(data.plans, [&](const Plan& p) { return p.target == target; });
  data.plans.push_back({target, std::move(program), engine.all_packed()});
  return Engine::load(std::move(data));
}

Result<std::vector<Tensor>> trial_run(std::shared_ptr<const Engine> engine, std::span<const Shape> shapes,
                                      int threads, const std::function<bool()>& cancelled) {
  const Program& program = *engine->program().program;
  std::vector<Value> inputs;
  std::mt19937 random(1);
  for (size_t i = 0; i < program.inputs.size(); i++) {
    const ValueType& type = program.values[static_cast<size_t>(program.inputs[i])].type;
    if (type.kind != Value::Kind::tensor || type.dtype == DType::string) return std::vector<Tensor>();
    HONE_TRY(const Tensor t, Tensor::allocate(type.dtype, shapes[i]));
    std::memset(t.bytes(), 0, static_cast<size_t>(t.byte_size()));
    if (type.dtype == DType::f32)
      for (int64_t k = 0; k < t.elements(); k++)
        t.data<float>()[k] = static_cast<float>(random() >> 8) * 0x1p-23f - 1;
    inputs.emplace_back(t);
  }
  bool stopped = false;
  const auto end = std::chrono::steady_clock::now() + max_trial;
  const auto session =
      Session::create(std::move(engine), {.threads = threads, .cancelled = [&] {
                                            stopped = stopped || (cancelled && cancelled());
                                            return stopped || std::chrono::steady_clock::now() > end;
                                          }});
  const bool ran = session && (*session)->run(inputs);
  if (stopped) return error(Code::cancelled, "cancelled by the caller");
  if (!ran) return std::vector<Tensor>();
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < (*session)->outputs(); i++) {
    const Value& v = (*session)->output(i);
    if (v.kind != Value::Kind::tensor || v.tensor.dtype() != DType::f32) continue;
    HONE_TRY(Tensor copy, Tensor::allocate(DType::f32, v.tensor.shape()));
    std::memcpy(copy.bytes(), v.tensor.bytes(), static_cast<size_t>(copy.byte_size()));
    outputs.push_back(std::move(copy));
  }
  return outputs;
}

double added_error(std::span<const Tensor> outputs, std::span<const Tensor> exact) {
  double worst = 0;
  for (size_t i = 0; i < exact.size() && i < outputs.size(); i++) {
    if (outputs[i].shape() != exact[i].shape())
      continue;  // it depends on the data, so elements have no partners
    double largest = 0, difference = 0;
    for (int64_t k = 0; k < exact[i].elements(); k++) {
      const double want = exact[i].data<float>()[k], got = outputs[i].data<float>()[k];
      if (!std::isfinite(want) || !std::isfinite(got)) continue;
      largest = std::max(largest, std::abs(want));
      difference = std::max(difference, std::abs(got - want));
    }
    if (difference > 0) worst = std::max(worst, difference / largest);  // of nothing: infinite
  }
  return worst;
}

}  // namespace hone
