// Tables of pointers on the host, handed to a kernel.
#include <torch/extension.h>

template <typename scalar_t>
__global__ void copy_blocks_kernel(int64_t* tables, const int64_t* __restrict__ mapping, const int per_block) {
  const int layer = blockIdx.x;
  scalar_t* base = reinterpret_cast<scalar_t*>(tables[layer]);
  for (int i = threadIdx.x; i < per_block; i += blockDim.x) {
    base[mapping[1] + i] = base[mapping[0] + i];
  }
}

void copy_blocks(std::vector<torch::Tensor> const& caches, const torch::Tensor& mapping) {
  int layers = caches.size();
  TORCH_CHECK(layers > 0, "no layer");
  std::vector<int64_t> host(layers);
  for (int i = 0; i < layers; ++i) {
    host[i] = reinterpret_cast<int64_t>(caches[i].data_ptr());
  }
  torch::Tensor tables = torch::from_blob(host.data(), {layers}, torch::kInt64).to(caches[0].device());
  const int per_block = caches[0][0].numel();
  dim3 grid(layers);
  dim3 block(std::min(1024, per_block));
  AT_DISPATCH_FLOATING_TYPES(caches[0].scalar_type(), "copy_blocks_kernel", ([&] {
    copy_blocks_kernel<scalar_t><<<grid, block, 0, stream>>>(
        tables.data_ptr<int64_t>(), mapping.data_ptr<int64_t>(), per_block);
  }));
}
