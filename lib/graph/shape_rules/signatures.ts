/** Type of an input or output: a dtype, or the attribute that names it. */
interface Argument {
  readonly name: string;
  readonly type: string;
  /** Attribute with the length, where the argument is a list of tensors of one dtype. */
  readonly count?: string;
  /** Whether it is a list whose dtypes are the attribute's. */
  readonly mixed: boolean;
}

/** What may be given for an attribute. */
interface AttributeDefinition {
  readonly name: string;
  /** The `kind` of an attribute of the graph. */
  readonly kind: string;
  /** Its values, where only some are allowed. */
  readonly allowed?: readonly string[];
  /** Smallest number, or smallest length of a list. */
  readonly minimum?: number;
  /** Value of an attribute that is not given; without it the attribute must be given, or follow from the inputs. */
  readonly default?: unknown;
}

/** Inputs, outputs and attributes of an operator. */
export interface Signature {
  readonly inputs: readonly Argument[];
  readonly outputs: readonly Argument[];
  readonly attributes: ReadonlyMap<string, AttributeDefinition>;
}

/**
 * TensorFlow's definitions of the operators that have a shape rule, one a line, without dtypes a graph cannot hold.
 * `N * T` is a list of N tensors of one dtype, `...T` one of the dtypes T; `>=` is the smallest number or length, `=`
 * the default. tests/graph/infer_shapes_test.ts compares each line with the library's own definition.
 */
const definitions = `
Abs(x: T) -> y: T {T: dtype in float32|int32|int64}
Acos(x: T) -> y: T {T: dtype in float32|complex64}
Acosh(x: T) -> y: T {T: dtype in float32|complex64}
Add(x: T, y: T) -> z: T {T: dtype in float32|uint8|int32|int64|complex64|string}
AddN(inputs: N * T) -> sum: T {N: int >= 1, T: dtype in float32|int32|uint8|complex64|int64}
AddV2(x: T, y: T) -> z: T {T: dtype in float32|uint8|int32|int64|complex64}
All(input: bool, reduction_indices: Tidx) -> output: bool {keep_dims: bool = false, Tidx: dtype in int32|int64 = int32}
Angle(input: T) -> output: Tout {T: dtype in complex64 = complex64, Tout: dtype in float32 = float32}
Any(input: bool, reduction_indices: Tidx) -> output: bool {keep_dims: bool = false, Tidx: dtype in int32|int64 = int32}
ApproximateEqual(x: T, y: T) -> z: bool {T: dtype in float32|int32|uint8|complex64|int64, tolerance: float = 0.00001}
ArgMax(input: T, dimension: Tidx) -> output: output_type {T: dtype in float32|int32|uint8|int64|bool, Tidx: dtype in int32|int64 = int32, output_type: dtype in int32|int64 = int64}
ArgMin(input: T, dimension: Tidx) -> output: output_type {T: dtype in float32|int32|uint8|int64|bool, Tidx: dtype in int32|int64 = int32, output_type: dtype in int32|int64 = int64}
Asin(x: T) -> y: T {T: dtype in float32|complex64}
Asinh(x: T) -> y: T {T: dtype in float32|complex64}
Atan(x: T) -> y: T {T: dtype in float32|complex64}
Atan2(y: T, x: T) -> z: T {T: dtype in float32}
Atanh(x: T) -> y: T {T: dtype in float32|complex64}
AvgPool(value: T) -> output: T {ksize: ints >= 4, strides: ints >= 4, padding: string in SAME|VALID, data_format: string in NHWC|NCHW = "NHWC", T: dtype in float32}
AvgPool3D(input: T) -> output: T {ksize: ints >= 5, strides: ints >= 5, padding: string in SAME|VALID, data_format: string in NDHWC|NCDHW = "NDHWC", T: dtype in float32}
AvgPool3DGrad(orig_input_shape: int32, grad: T) -> output: T {ksize: ints >= 5, strides: ints >= 5, padding: string in SAME|VALID, data_format: string in NDHWC|NCDHW = "NDHWC", T: dtype in float32}
AvgPoolGrad(orig_input_shape: int32, grad: T) -> output: T {ksize: ints >= 4, strides: ints >= 4, padding: string in SAME|VALID, data_format: string in NHWC|NCHW = "NHWC", T: dtype in float32}
BatchMatMul(x: T, y: T) -> output: T {T: dtype in float32|int32|int64|complex64, adj_x: bool = false, adj_y: bool = false, grad_x: bool = false, grad_y: bool = false}
BatchMatMulV2(x: T, y: T) -> output: T {T: dtype in float32|int32|int64|uint8|complex64, adj_x: bool = false, adj_y: bool = false, grad_x: bool = false, grad_y: bool = false}
BatchToSpaceND(input: T, block_shape: Tblock_shape, crops: Tcrops) -> output: T {T: dtype, Tblock_shape: dtype in int32|int64 = int32, Tcrops: dtype in int32|int64 = int32}
BiasAdd(value: T, bias: T) -> output: T {T: dtype in float32|int32|uint8|complex64|int64, data_format: string in NHWC|NCHW = "NHWC"}
BiasAddGrad(out_backprop: T) -> output: T {T: dtype in float32|int32|uint8|complex64|int64, data_format: string in NHWC|NCHW = "NHWC"}
Bincount(arr: int32, size: int32, weights: T) -> bins: T {T: dtype in int32|int64|float32}
BitwiseAnd(x: T, y: T) -> z: T {T: dtype in int32|int64|uint8}
BitwiseOr(x: T, y: T) -> z: T {T: dtype in int32|int64|uint8}
BitwiseXor(x: T, y: T) -> z: T {T: dtype in int32|int64|uint8}
BroadcastArgs(s0: T, s1: T) -> r0: T {T: dtype in int32|int64 = int32}
BroadcastTo(input: T, shape: Tidx) -> output: T {T: dtype, Tidx: dtype in int32|int64 = int32}
Cast(x: SrcT) -> y: DstT {SrcT: dtype, DstT: dtype, Truncate: bool = false}
Ceil(x: T) -> y: T {T: dtype in float32}
CheckNumerics(tensor: T) -> output: T {T: dtype in float32, message: string}
ClipByValue(t: T, clip_value_min: T, clip_value_max: T) -> output: T {T: dtype in float32|int32|uint8|complex64|int64}
Complex(real: T, imag: T) -> out: Tout {T: dtype in float32 = float32, Tout: dtype in complex64 = complex64}
ComplexAbs(x: T) -> y: Tout {T: dtype in complex64 = complex64, Tout: dtype in float32 = float32}
Concat(concat_dim: int32, values: N * T) -> output: T {N: int >= 2, T: dtype}
ConcatV2(values: N * T, axis: Tidx) -> output: T {N: int >= 2, T: dtype, Tidx: dtype in int32|int64 = int32}
Conj(input: T) -> output: T {T: dtype in complex64 = complex64}
Const() -> output: dtype {value: tensor, dtype: dtype}
Conv2D(input: T, filter: T) -> output: T {T: dtype in float32|int32, strides: ints, use_cudnn_on_gpu: bool = true, padding: string in SAME|VALID|EXPLICIT, explicit_paddings: ints = [], data_format: string in NHWC|NCHW = "NHWC", dilations: ints = [1,1,1,1]}
Conv2DBackpropFilter(input: T, filter_sizes: int32, out_backprop: T) -> output: T {T: dtype in float32, strides: ints, use_cudnn_on_gpu: bool = true, padding: string in SAME|VALID|EXPLICIT, explicit_paddings: ints = [], data_format: string in NHWC|NCHW = "NHWC", dilations: ints = [1,1,1,1]}
Conv2DBackpropInput(input_sizes: int32, filter: T, out_backprop: T) -> output: T {T: dtype in float32|int32, strides: ints, use_cudnn_on_gpu: bool = true, padding: string in SAME|VALID|EXPLICIT, explicit_paddings: ints = [], data_format: string in NHWC|NCHW = "NHWC", dilations: ints = [1,1,1,1]}
Conv3D(input: T, filter: T) -> output: T {T: dtype in float32, strides: ints >= 5, padding: string in SAME|VALID, data_format: string in NDHWC|NCDHW = "NDHWC", dilations: ints = [1,1,1,1,1]}
Conv3DBackpropFilterV2(input: T, filter_sizes: int32, out_backprop: T) -> output: T {T: dtype in float32, strides: ints >= 5, padding: string in SAME|VALID, data_format: string in NDHWC|NCDHW = "NDHWC", dilations: ints = [1,1,1,1,1]}
Conv3DBackpropInputV2(input_sizes: Tshape, filter: T, out_backprop: T) -> output: T {T: dtype in float32, strides: ints >= 5, padding: string in SAME|VALID, data_format: string in NDHWC|NCDHW = "NDHWC", dilations: ints = [1,1,1,1,1], Tshape: dtype in int32|int64 = int32}
Cos(x: T) -> y: T {T: dtype in float32|complex64}
Cosh(x: T) -> y: T {T: dtype in float32|complex64}
CropAndResize(image: T, boxes: float32, box_ind: int32, crop_size: int32) -> crops: float32 {T: dtype in uint8|int32|int64|float32, method: string in bilinear|nearest = "bilinear", extrapolation_value: float = 0}
Cumprod(x: T, axis: Tidx) -> out: T {exclusive: bool = false, reverse: bool = false, T: dtype in float32|int32|uint8|complex64|int64, Tidx: dtype in int32|int64 = int32}
Cumsum(x: T, axis: Tidx) -> out: T {exclusive: bool = false, reverse: bool = false, T: dtype in float32|int32|uint8|complex64|int64, Tidx: dtype in int32|int64 = int32}
DenseBincount(input: Tidx, size: Tidx, weights: T) -> output: T {Tidx: dtype in int32|int64, T: dtype in int32|int64|float32, binary_output: bool = false}
DepthToSpace(input: T) -> output: T {T: dtype, block_size: int >= 2, data_format: string in NHWC|NCHW|NCHW_VECT_C = "NHWC"}
DepthwiseConv2dNative(input: T, filter: T) -> output: T {T: dtype in float32, strides: ints, padding: string in SAME|VALID|EXPLICIT, explicit_paddings: ints = [], data_format: string in NHWC|NCHW = "NHWC", dilations: ints = [1,1,1,1]}
DepthwiseConv2dNativeBackpropFilter(input: T, filter_sizes: int32, out_backprop: T) -> output: T {T: dtype in float32, strides: ints, padding: string in SAME|VALID|EXPLICIT, explicit_paddings: ints = [], data_format: string in NHWC|NCHW = "NHWC", dilations: ints = [1,1,1,1]}
DepthwiseConv2dNativeBackpropInput(input_sizes: int32, filter: T, out_backprop: T) -> output: T {T: dtype in float32, strides: ints, padding: string in SAME|VALID|EXPLICIT, explicit_paddings: ints = [], data_format: string in NHWC|NCHW = "NHWC", dilations: ints = [1,1,1,1]}
Diag(diagonal: T) -> output: T {T: dtype in float32|int32|int64|complex64}
DiagPart(input: T) -> diagonal: T {T: dtype in float32|int32|int64|complex64}
Digamma(x: T) -> y: T {T: dtype in float32}
Dilation2D(input: T, filter: T) -> output: T {T: dtype in float32|int32|uint8|int64, strides: ints >= 4, rates: ints >= 4, padding: string in SAME|VALID}
Dilation2DBackpropFilter(input: T, filter: T, out_backprop: T) -> filter_backprop: T {T: dtype in float32|int32|uint8|int64, strides: ints >= 4, rates: ints >= 4, padding: string in SAME|VALID}
Dilation2DBackpropInput(input: T, filter: T, out_backprop: T) -> in_backprop: T {T: dtype in float32|int32|uint8|int64, strides: ints >= 4, rates: ints >= 4, padding: string in SAME|VALID}
Div(x: T, y: T) -> z: T {T: dtype in float32|uint8|int32|int64|complex64}
DivNoNan(x: T, y: T) -> z: T {T: dtype in float32|complex64}
Einsum(inputs: N * T) -> output: T {equation: string, N: int >= 1, T: dtype}
Elu(features: T) -> activations: T {T: dtype in float32}
EluGrad(gradients: T, outputs: T) -> backprops: T {T: dtype in float32}
EnsureShape(input: T) -> output: T {shape: shape, T: dtype}
Equal(x: T, y: T) -> z: bool {T: dtype, incompatible_shape_error: bool = true}
Erf(x: T) -> y: T {T: dtype in float32}
Erfc(x: T) -> y: T {T: dtype in float32}
Erfinv(x: T) -> y: T {T: dtype in float32}
EuclideanNorm(input: T, reduction_indices: Tidx) -> output: T {keep_dims: bool = false, T: dtype in float32|int32|uint8|complex64|int64, Tidx: dtype in int32|int64 = int32}
Exp(x: T) -> y: T {T: dtype in float32|complex64}
ExpandDims(input: T, dim: Tdim) -> output: T {T: dtype, Tdim: dtype in int32|int64 = int32}
Expm1(x: T) -> y: T {T: dtype in float32|complex64}
FFT(input: Tcomplex) -> output: Tcomplex {Tcomplex: dtype in complex64 = complex64}
FakeQuantWithMinMaxArgs(inputs: float32) -> outputs: float32 {min: float = -6, max: float = 6, num_bits: int = 8, narrow_range: bool = false}
FakeQuantWithMinMaxArgsGradient(gradients: float32, inputs: float32) -> backprops: float32 {min: float = -6, max: float = 6, num_bits: int = 8, narrow_range: bool = false}
FakeQuantWithMinMaxVars(inputs: float32, min: float32, max: float32) -> outputs: float32 {num_bits: int = 8, narrow_range: bool = false}
FakeQuantWithMinMaxVarsGradient(gradients: float32, inputs: float32, min: float32, max: float32) -> backprops_wrt_input: float32, backprop_wrt_min: float32, backprop_wrt_max: float32 {num_bits: int = 8, narrow_range: bool = false}
FakeQuantWithMinMaxVarsPerChannel(inputs: float32, min: float32, max: float32) -> outputs: float32 {num_bits: int = 8, narrow_range: bool = false}
FakeQuantWithMinMaxVarsPerChannelGradient(gradients: float32, inputs: float32, min: float32, max: float32) -> backprops_wrt_input: float32, backprop_wrt_min: float32, backprop_wrt_max: float32 {num_bits: int = 8, narrow_range: bool = false}
Fill(dims: index_type, value: T) -> output: T {T: dtype, index_type: dtype in int32|int64 = int32}
Floor(x: T) -> y: T {T: dtype in float32}
FloorDiv(x: T, y: T) -> z: T {T: dtype in float32|uint8|int32|int64|complex64}
FloorMod(x: T, y: T) -> z: T {T: dtype in int32|int64|uint8|float32}
FusedBatchNorm(x: T, scale: T, offset: T, mean: T, variance: T) -> y: T, batch_mean: T, batch_variance: T, reserve_space_1: T, reserve_space_2: T {T: dtype in float32, epsilon: float = 0.0001, exponential_avg_factor: float = 1, data_format: string in NHWC|NCHW = "NHWC", is_training: bool = true}
FusedBatchNormGrad(y_backprop: T, x: T, scale: T, reserve_space_1: T, reserve_space_2: T) -> x_backprop: T, scale_backprop: T, offset_backprop: T, reserve_space_3: T, reserve_space_4: T {T: dtype in float32, epsilon: float = 0.0001, data_format: string in NHWC|NCHW = "NHWC", is_training: bool = true}
FusedBatchNormGradV3(y_backprop: T, x: T, scale: float32, reserve_space_1: U, reserve_space_2: U, reserve_space_3: U) -> x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_4: U, reserve_space_5: U {T: dtype in float32, U: dtype in float32, epsilon: float = 0.0001, data_format: string in NHWC|NCHW|NDHWC|NCDHW = "NHWC", is_training: bool = true}
FusedBatchNormV3(x: T, scale: U, offset: U, mean: U, variance: U) -> y: T, batch_mean: U, batch_variance: U, reserve_space_1: U, reserve_space_2: U, reserve_space_3: U {T: dtype in float32, U: dtype in float32, epsilon: float = 0.0001, exponential_avg_factor: float = 1, data_format: string in NHWC|NCHW|NDHWC|NCDHW = "NHWC", is_training: bool = true}
Gather(params: Tparams, indices: Tindices) -> output: Tparams {validate_indices: bool = true, Tparams: dtype, Tindices: dtype in int32|int64}
GatherNd(params: Tparams, indices: Tindices) -> output: Tparams {Tparams: dtype, Tindices: dtype in int32|int64, bad_indices_policy: string = ""}
GatherV2(params: Tparams, indices: Tindices, axis: Taxis) -> output: Tparams {batch_dims: int = 0, Tparams: dtype, Tindices: dtype in int32|int64, Taxis: dtype in int32|int64}
Greater(x: T, y: T) -> z: bool {T: dtype in float32|int32|uint8|int64}
GreaterEqual(x: T, y: T) -> z: bool {T: dtype in float32|int32|uint8|int64}
IFFT(input: Tcomplex) -> output: Tcomplex {Tcomplex: dtype in complex64 = complex64}
Identity(input: T) -> output: T {T: dtype}
IdentityN(input: ...T) -> output: ...T {T: dtypes >= 1}
Imag(input: T) -> output: Tout {T: dtype in complex64 = complex64, Tout: dtype in float32 = float32}
ImageProjectiveTransformV3(images: dtype, transforms: float32, output_shape: int32, fill_value: float32) -> transformed_images: dtype {dtype: dtype in uint8|int32|int64|float32, interpolation: string, fill_mode: string = "CONSTANT"}
InTopKV2(predictions: float32, targets: T, k: T) -> precision: bool {T: dtype in int32|int64 = int32}
Inv(x: T) -> y: T {T: dtype in float32|int32|int64|complex64}
Invert(x: T) -> y: T {T: dtype in int32|int64|uint8}
InvertPermutation(x: T) -> y: T {T: dtype in int32|int64 = int32}
IsFinite(x: T) -> y: bool {T: dtype in float32}
IsInf(x: T) -> y: bool {T: dtype in float32}
IsNan(x: T) -> y: bool {T: dtype in float32}
L2Loss(t: T) -> output: T {T: dtype in float32}
LRN(input: T) -> output: T {depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5, T: dtype in float32 = float32}
LRNGrad(input_grads: T, input_image: T, output_image: T) -> output: T {depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5, T: dtype in float32 = float32}
LeakyRelu(features: T) -> activations: T {alpha: float = 0.2, T: dtype in float32 = float32}
LeakyReluGrad(gradients: T, features: T) -> backprops: T {alpha: float = 0.2, T: dtype in float32 = float32}
LeftShift(x: T, y: T) -> z: T {T: dtype in int32|int64|uint8}
Less(x: T, y: T) -> z: bool {T: dtype in float32|int32|uint8|int64}
LessEqual(x: T, y: T) -> z: bool {T: dtype in float32|int32|uint8|int64}
Lgamma(x: T) -> y: T {T: dtype in float32}
LinSpace(start: T, stop: T, num: Tidx) -> output: T {T: dtype in float32, Tidx: dtype in int32|int64 = int32}
Log(x: T) -> y: T {T: dtype in float32|complex64}
Log1p(x: T) -> y: T {T: dtype in float32|complex64}
LogSoftmax(logits: T) -> logsoftmax: T {T: dtype in float32}
LogicalAnd(x: bool, y: bool) -> z: bool
LogicalNot(x: bool) -> y: bool
LogicalOr(x: bool, y: bool) -> z: bool
MatMul(a: T, b: T) -> product: T {transpose_a: bool = false, transpose_b: bool = false, T: dtype in float32|int32|int64|uint8|complex64, grad_a: bool = false, grad_b: bool = false}
MatrixBandPart(input: T, num_lower: Tindex, num_upper: Tindex) -> band: T {T: dtype, Tindex: dtype in int32|int64 = int64}
MatrixDiag(diagonal: T) -> output: T {T: dtype}
MatrixDiagPart(input: T) -> diagonal: T {T: dtype}
MatrixSetDiag(input: T, diagonal: T) -> output: T {T: dtype}
Max(input: T, reduction_indices: Tidx) -> output: T {keep_dims: bool = false, T: dtype in float32|int32|uint8|int64, Tidx: dtype in int32|int64 = int32}
MaxPool(input: T) -> output: T {T: dtype in float32|int32|int64|uint8 = float32, ksize: ints >= 4, strides: ints >= 4, padding: string in SAME|VALID|EXPLICIT, explicit_paddings: ints = [], data_format: string in NHWC|NCHW|NCHW_VECT_C = "NHWC"}
MaxPool3D(input: T) -> output: T {ksize: ints >= 5, strides: ints >= 5, padding: string in SAME|VALID, data_format: string in NDHWC|NCDHW = "NDHWC", T: dtype in float32}
MaxPool3DGrad(orig_input: TInput, orig_output: TInput, grad: T) -> output: T {ksize: ints >= 5, strides: ints >= 5, padding: string in SAME|VALID, data_format: string in NDHWC|NCDHW = "NDHWC", T: dtype in float32 = float32, TInput: dtype in float32 = float32}
MaxPoolGrad(orig_input: T, orig_output: T, grad: T) -> output: T {ksize: ints >= 4, strides: ints >= 4, padding: string in SAME|VALID|EXPLICIT, explicit_paddings: ints = [], data_format: string in NHWC|NCHW = "NHWC", T: dtype in float32|int32|uint8|int64 = float32}
Maximum(x: T, y: T) -> z: T {T: dtype in float32|uint8|int32|int64}
Mean(input: T, reduction_indices: Tidx) -> output: T {keep_dims: bool = false, T: dtype in float32|int32|uint8|complex64|int64, Tidx: dtype in int32|int64 = int32}
Min(input: T, reduction_indices: Tidx) -> output: T {keep_dims: bool = false, T: dtype in float32|int32|uint8|int64, Tidx: dtype in int32|int64 = int32}
Minimum(x: T, y: T) -> z: T {T: dtype in float32|uint8|int32|int64}
MirrorPad(input: T, paddings: Tpaddings) -> output: T {T: dtype, Tpaddings: dtype in int32|int64 = int32, mode: string in REFLECT|SYMMETRIC}
MirrorPadGrad(input: T, paddings: Tpaddings) -> output: T {T: dtype, Tpaddings: dtype in int32|int64 = int32, mode: string in REFLECT|SYMMETRIC}
Mod(x: T, y: T) -> z: T {T: dtype in int32|int64|float32}
Mul(x: T, y: T) -> z: T {T: dtype in float32|uint8|int32|int64|complex64}
MulNoNan(x: T, y: T) -> z: T {T: dtype in float32|complex64}
Multinomial(logits: T, num_samples: int32) -> output: output_dtype {seed: int = 0, seed2: int = 0, T: dtype in float32|int32|uint8|int64, output_dtype: dtype in int32|int64 = int64}
Neg(x: T) -> y: T {T: dtype in float32|int32|int64|complex64}
NextAfter(x1: T, x2: T) -> output: T {T: dtype in float32 = float32}
NonMaxSuppressionV3(boxes: T, scores: T, max_output_size: int32, iou_threshold: T_threshold, score_threshold: T_threshold) -> selected_indices: int32 {T: dtype in float32 = float32, T_threshold: dtype in float32 = float32}
NotEqual(x: T, y: T) -> z: bool {T: dtype, incompatible_shape_error: bool = true}
OneHot(indices: TI, depth: int32, on_value: T, off_value: T) -> output: T {axis: int = -1, T: dtype, TI: dtype in uint8|int32|int64 = int64}
OnesLike(x: T) -> y: T {T: dtype in float32|uint8|int32|int64|complex64|bool}
Pack(values: N * T) -> output: T {N: int >= 1, T: dtype, axis: int = 0}
Pad(input: T, paddings: Tpaddings) -> output: T {T: dtype, Tpaddings: dtype in int32|int64 = int32}
PadV2(input: T, paddings: Tpaddings, constant_values: T) -> output: T {T: dtype, Tpaddings: dtype in int32|int64 = int32}
PlaceholderWithDefault(input: dtype) -> output: dtype {dtype: dtype, shape: shape}
Pow(x: T, y: T) -> z: T {T: dtype in float32|int32|int64|complex64}
PreventGradient(input: T) -> output: T {T: dtype, message: string = ""}
Prod(input: T, reduction_indices: Tidx) -> output: T {keep_dims: bool = false, T: dtype in float32|int32|uint8|complex64|int64, Tidx: dtype in int32|int64 = int32}
RandomStandardNormal(shape: T) -> output: dtype {seed: int = 0, seed2: int = 0, dtype: dtype in float32, T: dtype in int32|int64}
RandomUniform(shape: T) -> output: dtype {seed: int = 0, seed2: int = 0, dtype: dtype in float32, T: dtype in int32|int64}
Range(start: Tidx, limit: Tidx, delta: Tidx) -> output: Tidx {Tidx: dtype in float32|int32|int64 = int32}
Rank(input: T) -> output: int32 {T: dtype}
Real(input: T) -> output: Tout {T: dtype in complex64 = complex64, Tout: dtype in float32 = float32}
RealDiv(x: T, y: T) -> z: T {T: dtype in float32|uint8|int32|int64|complex64}
Reciprocal(x: T) -> y: T {T: dtype in float32|int32|int64|complex64}
ReciprocalGrad(y: T, dy: T) -> z: T {T: dtype in float32|complex64}
Relu(features: T) -> activations: T {T: dtype in float32|int32|uint8|int64}
Relu6(features: T) -> activations: T {T: dtype in float32|int32|uint8|int64}
Relu6Grad(gradients: T, features: T) -> backprops: T {T: dtype in float32|int32|uint8|int64}
ReluGrad(gradients: T, features: T) -> backprops: T {T: dtype in float32|int32|uint8|int64}
Reshape(tensor: T, shape: Tshape) -> output: T {T: dtype, Tshape: dtype in int32|int64 = int32}
ResizeBicubic(images: T, size: int32) -> resized_images: float32 {T: dtype in uint8|int32|int64|float32, align_corners: bool = false, half_pixel_centers: bool = false}
ResizeBilinear(images: T, size: int32) -> resized_images: float32 {T: dtype in uint8|int32|int64|float32, align_corners: bool = false, half_pixel_centers: bool = false}
ResizeBilinearGrad(grads: float32, original_image: T) -> output: T {T: dtype in float32, align_corners: bool = false, half_pixel_centers: bool = false}
ResizeNearestNeighbor(images: T, size: int32) -> resized_images: T {T: dtype in uint8|int32|int64|float32, align_corners: bool = false, half_pixel_centers: bool = false}
ResizeNearestNeighborGrad(grads: T, size: int32) -> output: T {T: dtype in uint8|int32|float32, align_corners: bool = false, half_pixel_centers: bool = false}
ReverseV2(tensor: T, axis: Tidx) -> output: T {Tidx: dtype in int32|int64 = int32, T: dtype in uint8|int32|int64|bool|float32|complex64|string}
RightShift(x: T, y: T) -> z: T {T: dtype in int32|int64|uint8}
Rint(x: T) -> y: T {T: dtype in float32}
Roll(input: T, shift: Tshift, axis: Taxis) -> output: T {T: dtype, Tshift: dtype in int32|int64, Taxis: dtype in int32|int64}
Round(x: T) -> y: T {T: dtype in float32|int32|int64|complex64}
Rsqrt(x: T) -> y: T {T: dtype in float32|complex64}
RsqrtGrad(y: T, dy: T) -> z: T {T: dtype in float32|complex64}
ScatterNd(indices: Tindices, updates: T, shape: Tindices) -> output: T {T: dtype, Tindices: dtype in int32|int64, bad_indices_policy: string = ""}
Select(condition: bool, t: T, e: T) -> output: T {T: dtype}
SelectV2(condition: bool, t: T, e: T) -> output: T {T: dtype}
Selu(features: T) -> activations: T {T: dtype in float32}
SeluGrad(gradients: T, outputs: T) -> backprops: T {T: dtype in float32}
Shape(input: T) -> output: out_type {T: dtype, out_type: dtype in int32|int64 = int32}
Sigmoid(x: T) -> y: T {T: dtype in float32|complex64}
SigmoidGrad(y: T, dy: T) -> z: T {T: dtype in float32|complex64}
Sign(x: T) -> y: T {T: dtype in float32|int32|int64|complex64}
Sin(x: T) -> y: T {T: dtype in float32|complex64}
Sinh(x: T) -> y: T {T: dtype in float32|complex64}
Size(input: T) -> output: out_type {T: dtype, out_type: dtype in int32|int64 = int32}
Slice(input: T, begin: Index, size: Index) -> output: T {T: dtype, Index: dtype in int32|int64}
Snapshot(input: T) -> output: T {T: dtype}
Softmax(logits: T) -> softmax: T {T: dtype in float32}
SoftmaxCrossEntropyWithLogits(features: T, labels: T) -> loss: T, backprop: T {T: dtype in float32}
Softplus(features: T) -> activations: T {T: dtype in float32}
SoftplusGrad(gradients: T, features: T) -> backprops: T {T: dtype in float32}
Softsign(features: T) -> activations: T {T: dtype in float32}
SoftsignGrad(gradients: T, features: T) -> backprops: T {T: dtype in float32}
SpaceToBatchND(input: T, block_shape: Tblock_shape, paddings: Tpaddings) -> output: T {T: dtype, Tblock_shape: dtype in int32|int64 = int32, Tpaddings: dtype in int32|int64 = int32}
SpaceToDepth(input: T) -> output: T {T: dtype, block_size: int >= 2, data_format: string in NHWC|NCHW|NCHW_VECT_C = "NHWC"}
SparseSoftmaxCrossEntropyWithLogits(features: T, labels: Tlabels) -> loss: T, backprop: T {T: dtype in float32, Tlabels: dtype in int32|int64 = int64}
SparseToDense(sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, default_value: T) -> dense: T {validate_indices: bool = true, T: dtype, Tindices: dtype in int32|int64}
Split(split_dim: int32, value: T) -> output: num_split * T {num_split: int >= 1, T: dtype}
SplitV(value: T, size_splits: Tlen, split_dim: int32) -> output: num_split * T {num_split: int >= 1, T: dtype, Tlen: dtype in int32|int64 = int64}
Sqrt(x: T) -> y: T {T: dtype in float32|complex64}
SqrtGrad(y: T, dy: T) -> z: T {T: dtype in float32|complex64}
Square(x: T) -> y: T {T: dtype in float32|int32|int64|uint8|complex64}
SquaredDifference(x: T, y: T) -> z: T {T: dtype in float32|int32|int64|complex64}
Squeeze(input: T) -> output: T {T: dtype, squeeze_dims: ints >= 0 = []}
StatelessMultinomial(logits: T, num_samples: int32, seed: Tseed) -> output: output_dtype {T: dtype in float32|int32|uint8|int64, Tseed: dtype in int32|int64 = int64, output_dtype: dtype in int32|int64 = int64}
StatelessRandomNormal(shape: T, seed: Tseed) -> output: dtype {dtype: dtype in float32 = float32, T: dtype in int32|int64 = int32, Tseed: dtype in int32|int64 = int64}
StatelessRandomUniform(shape: T, seed: Tseed) -> output: dtype {dtype: dtype in float32 = float32, T: dtype in int32|int64 = int32, Tseed: dtype in int32|int64 = int64}
StatelessRandomUniformInt(shape: T, seed: Tseed, minval: dtype, maxval: dtype) -> output: dtype {dtype: dtype in int32|int64, T: dtype in int32|int64, Tseed: dtype in int32|int64 = int64}
StatelessTruncatedNormal(shape: T, seed: Tseed) -> output: dtype {dtype: dtype in float32 = float32, T: dtype in int32|int64 = int32, Tseed: dtype in int32|int64 = int64}
StopGradient(input: T) -> output: T {T: dtype}
StridedSlice(input: T, begin: Index, end: Index, strides: Index) -> output: T {T: dtype, Index: dtype in int32|int64, begin_mask: int = 0, end_mask: int = 0, ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0}
StridedSliceGrad(shape: Index, begin: Index, end: Index, strides: Index, dy: T) -> output: T {T: dtype, Index: dtype in int32|int64, begin_mask: int = 0, end_mask: int = 0, ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0}
Sub(x: T, y: T) -> z: T {T: dtype in float32|uint8|int32|int64|complex64}
Sum(input: T, reduction_indices: Tidx) -> output: T {keep_dims: bool = false, T: dtype in float32|int32|uint8|complex64|int64, Tidx: dtype in int32|int64 = int32}
Tan(x: T) -> y: T {T: dtype in float32|complex64}
Tanh(x: T) -> y: T {T: dtype in float32|complex64}
TanhGrad(y: T, dy: T) -> z: T {T: dtype in float32|complex64}
TensorScatterAdd(tensor: T, indices: Tindices, updates: T) -> output: T {T: dtype, Tindices: dtype in int32|int64, bad_indices_policy: string = ""}
TensorScatterMax(tensor: T, indices: Tindices, updates: T) -> output: T {T: dtype, Tindices: dtype in int32|int64, bad_indices_policy: string = ""}
TensorScatterMin(tensor: T, indices: Tindices, updates: T) -> output: T {T: dtype, Tindices: dtype in int32|int64, bad_indices_policy: string = ""}
TensorScatterSub(tensor: T, indices: Tindices, updates: T) -> output: T {T: dtype, Tindices: dtype in int32|int64, bad_indices_policy: string = ""}
TensorScatterUpdate(tensor: T, indices: Tindices, updates: T) -> output: T {T: dtype, Tindices: dtype in int32|int64, bad_indices_policy: string = ""}
Tile(input: T, multiples: Tmultiples) -> output: T {T: dtype, Tmultiples: dtype in int32|int64 = int32}
TopKV2(input: T, k: Tk) -> values: T, indices: index_type {sorted: bool = true, T: dtype in float32|int32|uint8|int64, Tk: dtype in int32|int64 = int32, index_type: dtype in int32|int64 = int32}
Transpose(x: T, perm: Tperm) -> y: T {T: dtype, Tperm: dtype in int32|int64 = int32}
TruncateDiv(x: T, y: T) -> z: T {T: dtype in float32|uint8|int32|int64|complex64}
TruncateMod(x: T, y: T) -> z: T {T: dtype in int32|int64|float32}
TruncatedNormal(shape: T) -> output: dtype {seed: int = 0, seed2: int = 0, dtype: dtype in float32, T: dtype in int32|int64}
Unique(x: T) -> y: T, idx: out_idx {T: dtype, out_idx: dtype in int32|int64 = int32}
UniqueV2(x: T, axis: Taxis) -> y: T, idx: out_idx {T: dtype, Taxis: dtype in int32|int64 = int64, out_idx: dtype in int32|int64 = int32}
Unpack(value: T) -> output: num * T {num: int >= 0, T: dtype, axis: int = 0}
UnsortedSegmentMax(data: T, segment_ids: Tindices, num_segments: Tnumsegments) -> output: T {T: dtype in float32|int32|uint8|int64, Tindices: dtype in int32|int64, Tnumsegments: dtype in int32|int64 = int32}
UnsortedSegmentMin(data: T, segment_ids: Tindices, num_segments: Tnumsegments) -> output: T {T: dtype in float32|int32|uint8|int64, Tindices: dtype in int32|int64, Tnumsegments: dtype in int32|int64 = int32}
UnsortedSegmentProd(data: T, segment_ids: Tindices, num_segments: Tnumsegments) -> output: T {T: dtype in float32|int32|uint8|complex64|int64, Tindices: dtype in int32|int64, Tnumsegments: dtype in int32|int64 = int32}
UnsortedSegmentSum(data: T, segment_ids: Tindices, num_segments: Tnumsegments) -> output: T {T: dtype in float32|int32|uint8|complex64|int64, Tindices: dtype in int32|int64, Tnumsegments: dtype in int32|int64 = int32}
Where(input: T) -> index: int64 {T: dtype in float32|int32|uint8|complex64|int64|bool = bool}
Xdivy(x: T, y: T) -> z: T {T: dtype in float32|complex64}
Xlog1py(x: T, y: T) -> z: T {T: dtype in float32|complex64}
Xlogy(x: T, y: T) -> z: T {T: dtype in float32|complex64}
ZerosLike(x: T) -> y: T {T: dtype}
`;

/** Lines of {@linkcode definitions} by the operator's name. */
export const definitionLines: ReadonlyMap<string, string> = new Map(
  definitions.trim().split("\n").map((line) => [line.slice(0, line.indexOf("(")), line]),
);

const parsed = new Map<string, Signature>();

/**
 * The signature of an operator.
 *
 * @param op TensorFlow's name of the operator.
 * @returns The signature, or `undefined` where the operator has no line above.
 */
export function signatureOf(op: string): Signature | undefined {
  const line = definitionLines.get(op);
  if (line === undefined) return undefined;
  let signature = parsed.get(op);
  if (signature === undefined) {
    const [, inputs, outputs, attributes] = /^\w+\((.*)\) -> (.*?)(?: \{(.*)\})?$/.exec(line)!;
    signature = {
      inputs: split(inputs).map(parseArgument),
      outputs: split(outputs).map(parseArgument),
      attributes: new Map(split(attributes ?? "").map((text) => [text.split(":")[0], parseAttribute(text)])),
    };
    parsed.set(op, signature);
  }
  return signature;
}

function split(list: string): string[] {
  return list === "" ? [] : list.split(", ");
}

function parseArgument(text: string): Argument {
  const [, name, count, mixed, type] = /^(\w+): (?:(\w+) \* )?(\.\.\.)?(\w+)$/.exec(text)!;
  return { name, type, count, mixed: mixed !== undefined };
}

function parseAttribute(text: string): AttributeDefinition {
  const [, name, kind, allowed, minimum, value] = /^(\w+): (\w+)(?: in (\S+))?(?: >= (\d+))?(?: = (.+))?$/
    .exec(text)!;
  return {
    name,
    kind,
    allowed: allowed?.split("|"),
    minimum: minimum === undefined ? undefined : Number(minimum),
    default: value === undefined ? undefined : kind === "dtype" ? value : JSON.parse(value),
  };
}
