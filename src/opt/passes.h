// The passes, one file each. See pipeline.cc for the list and what each is for.
#pragma once
#include "ir/patch.h"

namespace hone::opt {

Result<int> fold(ir::Graph&, ir::Log&);
Result<int> inline_if(ir::Graph&, ir::Log&);
Result<int> remove_identities(ir::Graph&, ir::Log&);
Result<int> share_common(ir::Graph&, ir::Log&);
Result<int> explicit_windows(ir::Graph&, ir::Log&);
Result<int> dead_code(ir::Graph&, ir::Log&);
Result<int> channels_last(ir::Graph&, ir::Log&);
Result<int> fuse_residual(ir::Graph&, ir::Log&);
Result<int> fuse_activation(ir::Graph&, ir::Log&);
Result<int> fold_affine(ir::Graph&, ir::Log&);
Result<int> absorb_pad(ir::Graph&, ir::Log&);
Result<int> matmul_bias(ir::Graph&, ir::Log&);
Result<int> scale_columns(ir::Graph&, ir::Log&);
Result<int> join_splits(ir::Graph&, ir::Log&);
Result<int> join_concats(ir::Graph&, ir::Log&);
Result<int> merge_views(ir::Graph&, ir::Log&);
Result<int> apply_rules(ir::Graph&, ir::Log&);
Result<int> fuse_attention(ir::Graph&, ir::Log&);
Result<int> fuse_channel_shuffle(ir::Graph&, ir::Log&);

}  // namespace hone::opt
