#include "random/network.h"

#include <algorithm>
#include <cmath>

#include "random/draw.h"

namespace hone::test {
namespace {

using Ints = std::vector<int64_t>;
using V = ir::Value*;

class Maker {
 public:
  Maker(uint64_t seed, int nodes) : d_(*find_op("Identity"), seed), nodes_(nodes) {
    g_ = std::make_shared<ir::Graph>();
    g_->name = "network";
  }

  Network make() {
    const int64_t kind = d_.between(0, 2);
    const int64_t n = d_.between(1, 2), side = d_.between(4, 9);
    Network out;
    const auto input = [&](const Shape& s) {
      ValueType t(DType::f32, s);
      if (d_.chance(20)) t.shape[0] = unknown_dim;
      pool_.push_back(g_->add_input("x" + std::to_string(out.inputs.size()), t));
      out.inputs.emplace_back(d_.tensor(DType::f32, s, -1.5, 1.5));
    };
    if (kind < 2) input({n, d_.pick<int64_t>({3, 4, 8, 16}), side, d_.chance(70) ? side : side + 1});
    else input({n, d_.pick<int64_t>({5, 8}), d_.pick<int64_t>({8, 12})});
    if (d_.chance(30)) input(out.inputs[0].tensor.shape());
    for (int tries = 0; static_cast<int>(g_->nodes().size()) < nodes_ && tries < 4 * nodes_; tries++) step();
    if (g_->nodes().empty()) pool_.push_back(one("Relu", {pool_.back()}));
    g_->add_output(pool_.back());
    for (int64_t i = d_.between(0, 2); i > 0; i--)
      if (V v = any(); v->producer && v->outputs == 0) g_->add_output(v);
    drop_unused();
    out.graph = g_;
    return out;
  }

 private:
  // An engine leaves them out, and their complaints with them.
  void drop_unused() {
    std::vector<ir::Node*> nodes = g_->nodes();
    for (auto n = nodes.rbegin(); n != nodes.rend(); ++n)
      if (std::all_of((*n)->outputs.begin(), (*n)->outputs.end(), [](V v) { return v->dead(); }))
        g_->erase(*n);
  }

  V any() {
    // Mostly what has just been made: long paths.
    const auto n = static_cast<int64_t>(pool_.size());
    return pool_[static_cast<size_t>(d_.chance(60) ? n - 1 : d_.between(0, n - 1))];
  }
  static const Shape& shape(V v) { return v->type.shape; }
  bool f32(V v) { return v->type.dtype == DType::f32 && shape(v).ranked(); }

  std::vector<V> node(const char* op, std::vector<V> in, Attrs attrs = {}, size_t outputs = 1) {
    const OpDef* def = find_op(op);
    if (!bind_attrs(*def, attrs, false)) return {};
    ir::Node* n = g_->add_node(*def, std::move(in), std::move(attrs), outputs,
                               std::string(op) + std::to_string(count_++));
    if (auto s = ir::infer(*n); !s) {  // does not fit: never mind
      g_->erase(n);
      return {};
    }
    return n->outputs;
  }
  V one(const char* op, std::vector<V> in, Attrs attrs = {}) {
    const auto out = node(op, std::move(in), std::move(attrs));
    return out.empty() ? nullptr : out[0];
  }
  static Attrs attrs(std::initializer_list<Attrs::Item> items) {
    Attrs a;
    for (const auto& [name, value] : items) a.set(name, value);
    return a;
  }
  V constant(const Shape& s, double low = -0.7, double high = 0.7) {
    return g_->add_constant(d_.tensor(DType::f32, s, low, high));
  }
  V number(double v) {
    Tensor t = d_.zeros(DType::f32, d_.chance(70) ? Shape{} : Shape{1});
    t.data<float>()[0] = static_cast<float>(v);
    return g_->add_constant(t);
  }
  V ints(const Ints& v) { return g_->add_constant(Tensor::of_ints(v)); }
  void keep(V v) {
    if (v && shape(v).ranked() && (!shape(v).all_known() || shape(v).elements() <= 20000)) pool_.push_back(v);
  }

  V activation(V x) {
    if (!x) return x;
    switch (d_.between(0, 15)) {
      case 0:
      case 1:
        return one("Relu", {x});
      case 2:
        return one("Sigmoid", {x});
      case 3:
        return one("Clip", {x, number(0), number(6)});
      case 4:
        return one("LeakyRelu", {x}, attrs({{"alpha", 0.1f}}));
      case 5:
        return one("Mul", {x, one("Sigmoid", {x})});  // SiLU
      case 6:
        return one("Mul", {x, one("HardSigmoid", {x}, attrs({{"alpha", 1.0f / 6}}))});
      case 7:
        return one("Mul", {x, one("Tanh", {one("Softplus", {x})})});  // Mish
      case 8: {                                                       // GELU, with its factors in any order
        V e = one("Add", {one("Erf", {one("Div", {x, number(std::sqrt(2.0))})}), number(1)});
        return d_.chance(50) ? one("Mul", {one("Mul", {x, e}), number(0.5)})
                             : one("Mul", {one("Mul", {x, number(0.5)}), e});
      }
      case 9:
        return one("Tanh", {x});
      case 10:
        return one("HardSwish", {x});
      case 11:
        return one("Div", {one("Mul", {x, one("Clip", {one("Add", {x, number(3)}), number(0), number(6)})}),
                           number(6)});
      case 12:
        return shape(x).rank() > 1 && known(shape(x)[1]) ? one("PRelu", {x, constant(per_channel(x))}) : x;
      case 13:
        return one("Elu", {x});
      case 14:
        return one("Gelu", {x});
      default:
        return x;
    }
  }
  Shape per_channel(V x) {
    Shape s{shape(x)[1]};
    for (int i = 2; i < shape(x).rank(); i++) s.push_back(1);
    return s;
  }

  V conv(V x, int64_t out, int64_t k, int64_t stride, int64_t group) {
    const int64_t c = shape(x)[1];
    const int64_t pad = d_.chance(80) ? k / 2 : 0;
    std::vector<V> in{x, constant({out, c / group, k, k}, -0.5, 0.5)};
    if (d_.chance(60)) in.push_back(constant({out}));
    Attrs a = attrs({{"kernel_shape", Ints{k, k}}, {"strides", Ints{stride, stride}}, {"group", group}});
    if (d_.chance(15)) a.set("auto_pad", std::string("SAME_UPPER"));
    else a.set("pads", Ints{pad, pad, pad, d_.chance(90) ? pad : pad + 1});
    return one("Conv", in, a);
  }
  V conv(V x) {
    const int64_t c = shape(x)[1], k = d_.pick<int64_t>({1, 1, 3, 3, 5}), stride = d_.chance(25) ? 2 : 1;
    const bool depthwise = d_.chance(30);
    const int64_t group = depthwise ? c : c % 2 == 0 && d_.chance(10) ? 2 : 1;
    return conv(x, depthwise ? c : d_.pick<int64_t>({c, 8, 16, 4, 6}) / group * group, k, stride, group);
  }
  V batch_norm(V x) {
    if (!x) return x;
    const Shape c{shape(x)[1]};
    return one("BatchNormalization", {x, constant(c), constant(c), constant(c), constant(c, 0.3, 2)});
  }
  V same_shape(V x) {
    for (int tries = 0; tries < 12; tries++)
      if (V b = any(); b != x && f32(b) && shape(b) == shape(x)) return b;
    return nullptr;
  }

  void picture(V x) {
    const Shape s = shape(x);
    const int64_t c = s[1];
    switch (d_.between(0, 19)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        V y = conv(x);
        if (d_.chance(50)) y = batch_norm(y);
        return keep(activation(y));
      }
      case 4: {  // residual, in either order, activated or not
        V y = d_.chance(50) ? conv(x, c, d_.pick<int64_t>({1, 3}), 1, 1) : same_shape(x);
        if (y && shape(y) == s) y = one("Add", d_.chance(50) ? std::vector<V>{x, y} : std::vector<V>{y, x});
        return keep(d_.chance(50) ? activation(y) : y);
      }
      case 5: {  // gate by channel
        V p = d_.chance(70) ? one("GlobalAveragePool", {x}) : one("ReduceMean", {x, ints({2, 3})});
        if (p && shape(p).rank() == 4) p = conv(p, c, 1, 1, 1);
        return keep(p ? one("Mul", {x, one("Sigmoid", {p})}) : nullptr);
      }
      case 6: {
        const int64_t k = d_.between(2, 3);
        return keep(one(d_.chance(60) ? "MaxPool" : "AveragePool", {x},
                        attrs({{"kernel_shape", Ints{k, k}},
                               {"strides", Ints{d_.between(1, 2), d_.between(1, 2)}},
                               {"pads", Ints{1, 1, k / 2, 1}},
                               {"ceil_mode", d_.between(0, 1)}})));
      }
      case 7: {  // join by channels, or by rows
        std::vector<V> parts{x};
        const bool rows = d_.chance(20);
        for (int i = 0; i < 8; i++)
          if (V b = any(); f32(b) && shape(b).rank() == 4 && shape(b)[0] == s[0] && shape(b)[3] == s[3] &&
                           (rows ? shape(b)[1] == c : shape(b)[2] == s[2]))
            parts.push_back(b);
        return keep(one("Concat", parts, attrs({{"axis", int64_t{rows ? 2 : 1}}})));
      }
      case 8: {
        if (c < 2) return;
        const int64_t first = c % 2 == 0 && d_.chance(60) ? c / 2 : d_.between(1, c - 1);
        const auto parts = node("Split", {x, ints({first, c - first})}, attrs({{"axis", int64_t{1}}}), 2);
        for (V v : parts) keep(v);
        if (!parts.empty() && d_.chance(40))
          keep(one("Concat", {parts[1], d_.chance(50) ? activation(parts[0]) : parts[0]},
                   attrs({{"axis", int64_t{1}}})));
        return;
      }
      case 9:
        return keep(one("Transpose", {x},
                        attrs({{"perm", d_.chance(60) ? (d_.chance(50) ? Ints{0, 2, 3, 1} : Ints{0, 3, 1, 2})
                                                      : d_.permutation(4)}})));
      case 10: {  // shuffle
        if (c % 2 || !s.all_known()) return;
        V y = one("Reshape", {x, ints({s[0], 2, c / 2, s[2], s[3]})});
        y = one("Transpose", {y}, attrs({{"perm", Ints{0, 2, 1, 3, 4}}}));
        return keep(one("Reshape", {y, ints({s[0], c, s[2], s[3]})}));
      }
      case 11: {
        V scales = g_->add_constant(Tensor::of<float>(DType::f32, {1, 1, 2, 2}));
        return keep(one("Resize", {x, nullptr, scales},
                        attrs({{"mode", std::string(d_.chance(60) ? "nearest" : "linear")},
                               {"coordinate_transformation_mode",
                                std::string(d_.chance(50) ? "asymmetric" : "half_pixel")},
                               {"nearest_mode", std::string("floor")}})));
      }
      case 12:
        return keep(conv_or_null(one("Pad", {x, ints({0, 0, 1, 0, 0, 0, d_.between(0, 1), 1})})));
      case 13: {  // focus
        std::vector<V> parts;
        for (const int64_t i : {0, 1})
          for (const int64_t j : {0, 1})
            parts.push_back(
                one("Slice", {x, ints({j, i}), ints({INT64_MAX, INT64_MAX}), ints({2, 3}), ints({2, 2})}));
        if (std::count(parts.begin(), parts.end(), nullptr)) return;
        return keep(one("Concat", parts, attrs({{"axis", int64_t{1}}})));
      }
      case 14: {  // quantised and back; and quantised weights
        V q = quantised(x);
        if (!q || d_.chance(50)) return keep(q);
        Tensor w = d_.tensor(DType::i8, {c, c, 1, 1}, -100, 100);
        Tensor zero = d_.zeros(DType::i8, {c});
        V weight =
            one("DequantizeLinear", {g_->add_constant(w), constant({c}, 0.001, 0.01), g_->add_constant(zero)},
                attrs({{"axis", int64_t{0}}}));
        return keep(quantised(one("Conv", {q, weight})));
      }
      case 15: {
        if (!s.all_known()) return;
        V y = d_.chance(50) ? one("Flatten", {x}) : one("Reshape", {x, ints({s[0], -1})});
        if (!y) return;
        const int64_t k = shape(y)[1], n = d_.pick<int64_t>({5, 8});
        V w = constant({k, n}, -0.2, 0.2);
        y = d_.chance(50) ? one("Gemm", {y, w, constant({n})})
                          : one("Add", {one("MatMul", {y, w}), constant({n})});
        return keep(activation(y));
      }
      case 16: {  // tokens
        if (!s.all_known()) return;
        V y = one("Reshape", {x, ints({s[0], c, s[2] * s[3]})});
        return keep(one("Transpose", {y}, attrs({{"perm", Ints{0, 2, 1}}})));
      }
      case 17:
        return keep(
            one("DepthToSpace", {x},
                attrs({{"blocksize", int64_t{2}}, {"mode", std::string(d_.chance(50) ? "DCR" : "CRD")}})));
      case 18:
        return keep(one("ReduceMean", {x, ints({2, 3})}, attrs({{"keepdims", d_.between(0, 1)}})));
      default:
        return keep(one("ConvTranspose", {x, constant({c, 4, 2, 2}), constant({4})},
                        attrs({{"strides", Ints{2, 2}}, {"kernel_shape", Ints{2, 2}}})));
    }
  }
  V conv_or_null(V x) { return x && known(shape(x)[1]) ? conv(x) : nullptr; }
  V quantised(V x) {
    if (!x) return x;
    const DType t = d_.pick({DType::u8, DType::i8});
    Tensor zero = d_.zeros(t, {});
    set_number(zero, 0, static_cast<double>(t == DType::u8 ? d_.between(100, 140) : d_.between(-9, 9)));
    V scale = number(d_.pick({0.05, 0.02, 0.1}));
    if (shape(scale).rank() != 0) zero = zero.reshaped({1});
    V z = g_->add_constant(zero);
    V q = one("QuantizeLinear", {x, scale, z});
    return q ? one("DequantizeLinear", {q, scale, z}) : nullptr;
  }

  void tokens(V x) {
    const Shape s = shape(x);
    const int64_t width = s[2];
    switch (d_.between(0, 6)) {
      case 0: {  // attention
        if (!s.all_known()) return;
        const int64_t heads = width % 2 == 0 && d_.chance(60) ? 2 : 1, size = width / heads;
        const auto head = [&](bool keys) {
          V y = one("MatMul", {x, constant({width, width}, -0.3, 0.3)});
          if (d_.chance(60)) y = one("Add", {y, constant({width})});
          y = one("Reshape", {y, ints({s[0], s[1], heads, size})});
          return one("Transpose", {y},
                     attrs({{"perm", keys && d_.chance(50) ? Ints{0, 2, 3, 1} : Ints{0, 2, 1, 3}}}));
        };
        V q = head(false), k = head(true), v = head(false);
        if (!q || !k || !v) return;
        if (d_.chance(30)) q = one("Mul", {q, number(0.5)});
        if (shape(k)[3] != s[1] || shape(k)[2] != size)
          k = one("Transpose", {k}, attrs({{"perm", Ints{0, 1, 3, 2}}}));
        V scores = one("MatMul", {q, k});
        if (!scores) return;
        if (d_.chance(70))
          scores = d_.chance(50) ? one("Div", {scores, number(std::sqrt(static_cast<double>(size)))})
                                 : one("Mul", {scores, number(0.3)});
        if (d_.chance(30)) scores = one("Add", {scores, constant({s[1], s[1]}, -2, 0)});
        V y =
            one("MatMul", {one("Softmax", {scores}, attrs({{"axis", int64_t{d_.chance(50) ? -1 : 3}}})), v});
        if (!y) return;
        y = one("Transpose", {y}, attrs({{"perm", Ints{0, 2, 1, 3}}}));
        return keep(one("Reshape", {y, ints({s[0], s[1], width})}));
      }
      case 1: {  // layer normalisation in pieces
        V mean = one("ReduceMean", {x, ints({-1})});
        V from = one("Sub", {x, mean});
        V var = one("ReduceMean",
                    {d_.chance(50) ? one("Pow", {from, number(2)}) : one("Mul", {from, from}), ints({-1})});
        V root = one("Sqrt", {one("Add", {var, number(1e-2)})});
        V y = one("Div", {from, root});
        y = one("Mul", {y, constant({width})});
        return keep(one("Add", {y, constant({width})}));
      }
      case 2: {
        V y = one("Add", {one("MatMul", {x, constant({width, width}, -0.4, 0.4)}), constant({width})});
        y = activation(y);
        if (V r = y && shape(y) == s && d_.chance(50) ? one("Add", {x, y}) : y) keep(r);
        return;
      }
      case 3:
        return keep(one("LayerNormalization", {x, constant({width}), constant({width})}));
      case 4:
        return keep(one("Softmax", {x}));
      case 5:
        return keep(one("Transpose", {x}, attrs({{"perm", Ints{0, 2, 1}}})));
      default: {
        if (!s.all_known()) return;
        return keep(one("Reshape", {x, ints({s[0], s[1], width, 1})}));
      }
    }
  }

  void step() {
    V x = any();
    if (!f32(x)) return;
    const Shape s = shape(x);
    const int64_t kind = d_.between(0, 99);
    if (kind < 12) return keep(activation(x));
    if (kind < 20) {  // affine with constants: numbers, one for each channel, or for the last axis
      V k = number(d_.pick({2.0, 0.5, -1.0, 1.0, 0.0, 3.0}));
      if (s.rank() > 2 && known(s[1]) && d_.chance(40)) k = constant(per_channel(x));
      else if (s.rank() > 0 && known(s.back()) && d_.chance(30)) k = constant({s.back()});
      const char* op = d_.pick({"Add", "Mul", "Sub", "Mul", "Add"});
      return keep(one(op, d_.chance(80) ? std::vector<V>{x, k} : std::vector<V>{k, x}));
    }
    if (kind < 26) {
      V b = same_shape(x);
      return keep(b ? one(d_.pick({"Add", "Mul", "Sub", "Max", "Min"}), {x, b}) : nullptr);
    }
    if (kind < 29) return keep(one(d_.pick({"Identity", "Neg", "Abs", "Dropout"}), {x}));
    if (kind < 31) return keep(one("Add", {x, x}));
    if (kind < 33) {
      V half = one("Cast", {x}, attrs({{"to", static_cast<int64_t>(DType::f16)}}));
      return keep(half ? one("Cast", {half}, attrs({{"to", static_cast<int64_t>(DType::f32)}})) : nullptr);
    }
    if (kind < 35 && s.rank() > 0) {
      V y = one("Unsqueeze", {x, ints({d_.between(0, s.rank())})});
      return keep(y ? one("Squeeze", {y}) : nullptr);
    }
    if (s.rank() == 4 && known(s[1]) && s[1] > 0) return picture(x);
    if (s.rank() == 3 && known(s[2]) && s[2] > 0) return tokens(x);
    if (s.rank() == 2 && known(s[1]) && s[1] > 0)
      return keep(one("Gemm", {x, constant({d_.pick<int64_t>({4, 8}), s[1]}), nullptr},
                      attrs({{"transB", int64_t{1}}})));
  }

  Draw d_;
  int nodes_, count_ = 0;
  std::shared_ptr<ir::Graph> g_;
  std::vector<V> pool_;
};

}  // namespace

Network draw_network(uint64_t seed, int nodes) { return Maker(seed, nodes).make(); }

}  // namespace hone::test
