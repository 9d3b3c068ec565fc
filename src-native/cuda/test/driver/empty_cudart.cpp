/* The CUDA runtime without a GPU and without the toolkit: a library of the right name and version with nothing in it. */
extern "C" int moebius_no_cudart() { return 0; }
