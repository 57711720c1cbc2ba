// Copies blocks within the caches of all layers.
#include <cstdint>
#include <cstring>
#include <vector>

#include <torch/all.h>

namespace cache {

void launch_copy(const torch::Tensor& key_table, const torch::Tensor& value_table, const torch::Tensor& pairs);

// Copies blocks inside all layers' caches: the kernel gets one table of pointers for the keys, one for the values.
void copy_blocks(std::vector<torch::Tensor>& key_caches, std::vector<torch::Tensor>& value_caches,
                 const torch::Tensor& pairs) {
  const int num_layers = key_caches.size();
  if (num_layers == 0) {
    return;
  }
  const torch::Device device = key_caches[0].device();

  int64_t key_ptrs[num_layers];
  int64_t value_ptrs[num_layers];

  for (int layer = 0; layer < num_layers; ++layer) {
    key_ptrs[layer] = reinterpret_cast<int64_t>(key_caches[layer].data_ptr());
    value_ptrs[layer] = reinterpret_cast<int64_t>(value_caches[layer].data_ptr());
  }

  torch::Tensor key_table = torch::from_blob(key_ptrs, {num_layers}, torch::kInt64).to(device);
  torch::Tensor value_table = torch::from_blob(value_ptrs, {num_layers}, torch::kInt64).to(device);

  launch_copy(key_table, value_table, pairs);
}

}  // namespace cache
