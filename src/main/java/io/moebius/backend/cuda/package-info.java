/**
 * The CUDA kernels (src-native/cuda) behind the backend interface: NVIDIA GPUs from compute capability 8.9 on. Java is the host, through
 * the driver's own functions. Knows backend alone.
 */
package io.moebius.backend.cuda;
