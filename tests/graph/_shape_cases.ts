/**
 * Nodes the shape rules are tried on, one a line: operators (several where the same is tried on all of them), inputs,
 * attributes. An input is `float32[2,3]`, whose values nobody knows, or a constant: `[1,2]` is an int32 vector, `3` an
 * int32 scalar, `float32:1.5` and `int64:[1]` are constants of other dtypes. `T[2,3]` has the first dtype the operator's T
 * allows.
 */
export const accepted = `
Abs|Acos|Acosh|Asin|Asinh|Atan|Atanh|Ceil|Cos|Cosh|Digamma|Elu|Erf|Erfc|Erfinv|Exp|Expm1|Floor|Inv|Invert T[2,3]
IsFinite|IsInf|IsNan|LeakyRelu|Lgamma|Log|Log1p|LogicalNot|Neg|OnesLike|PreventGradient|Reciprocal|Relu T[]
Relu6|Rint|Round|Rsqrt|Selu|Sigmoid|Sign|Sin|Sinh|Snapshot|Softplus|Softsign|Sqrt|Square|StopGradient|Tan T[0,1,3]
Tanh|ZerosLike|Identity|Real|Imag|Conj|Angle|ComplexAbs|FakeQuantWithMinMaxArgs T[4]
CheckNumerics float32[2] message="here"
Cast float32[2,3] DstT="int32" Truncate=false
Cast uint8[2,3] DstT="float32"
Cast bool[2,3] SrcT="bool" DstT="int64"
LeakyRelu float32[2,3] alpha=0.3
Relu int32[2]
Add|AddV2|Sub|Mul|Div|RealDiv|FloorDiv|FloorMod|Mod|TruncateDiv|TruncateMod|DivNoNan|MulNoNan T[2,3] T[3]
Xdivy|Xlogy|Xlog1py|Pow|Maximum|Minimum|SquaredDifference|Atan2|NextAfter|Equal|NotEqual T[2,1] T[1,3]
Less|LessEqual|Greater|GreaterEqual|LogicalAnd|LogicalOr|BitwiseAnd|BitwiseOr|BitwiseXor T[4,1,2] T[3,1]
LeftShift|RightShift|Complex T[] T[2,0]
ApproximateEqual float32[2,3] float32[2,3] tolerance=0.1
Add int64[2] int64[2]
SelectV2 bool[2,1] float32[3] float32[]
Select bool[] float32[2,3] float32[2,3]
Select bool[2] float32[2,3] float32[2,3]
Select bool[2,3] int32[2,3] int32[2,3]
ReluGrad|Relu6Grad|SigmoidGrad|TanhGrad|SqrtGrad|RsqrtGrad|ReciprocalGrad|EluGrad|SeluGrad T[2,3] T[2,3]
LeakyReluGrad|SoftplusGrad|SoftsignGrad|FakeQuantWithMinMaxArgsGradient T[2] T[2]
AddN float32[2,3] float32[2,3] float32[2,3] N=3
AddN float32[2]
IdentityN float32[2,3] int32[] bool[1] T=["float32","int32","bool"]
BroadcastArgs [2,1] [4,1,3]
ClipByValue float32[2,3] float32[] float32[]
FakeQuantWithMinMaxVars float32[2,3] float32[] float32[] num_bits=8
FakeQuantWithMinMaxVarsGradient float32[2,3] float32[2,3] float32[] float32[]
FakeQuantWithMinMaxVarsPerChannel float32[2,5,5,3] float32[3] float32[3] narrow_range=true
FakeQuantWithMinMaxVarsPerChannelGradient float32[2,3] float32[2,3] float32[3] float32[3]
Sum|Mean|Max|Min|Prod|EuclideanNorm float32[2,3,4] [1] keep_dims=false Tidx="int32"
Sum|Mean|Max|Min|Prod|EuclideanNorm float32[2,3,4] [-1,0] keep_dims=true
Sum|Mean|Max|Min|Prod float32[2,3,4] 1
Sum float32[2,3] []
Sum float32[] []
Sum float32[0,3] int64:[0]
All|Any bool[2,3] [0]
All|Any bool[2,3] [-1] keep_dims=true
ArgMax|ArgMin float32[2,3,4] 1
ArgMax|ArgMin float32[2,3] -1 output_type="int32"
ArgMax float32[5] 0 output_type="int64"
Cumsum|Cumprod float32[2,3] 1 exclusive=true
Cumsum float32[2,3] int32[]
TopKV2 float32[2,5] 3
TopKV2 float32[5] 0 sorted=false
Softmax|LogSoftmax float32[2,3]
Softmax|LogSoftmax float32[3]
SoftmaxCrossEntropyWithLogits float32[4,3] float32[4,3]
SparseSoftmaxCrossEntropyWithLogits float32[4,3] int32[4]
L2Loss float32[2,3]
Bincount int32[5] 3 float32[5]
Bincount int32[5] 3 float32[0]
DenseBincount int32[5] 3 float32[0]
DenseBincount int32[2,5] 3 float32[0]
InTopKV2 float32[4,3] int32[4] int32[]
FFT|IFFT complex64[2,8]
UnsortedSegmentSum|UnsortedSegmentMax|UnsortedSegmentMin|UnsortedSegmentProd float32[4,3] int32[4] 2
UnsortedSegmentSum float32[4,3,2] int32[4,3] 7
MatMul float32[2,3] float32[3,4]
MatMul float32[3,2] float32[4,3] transpose_a=true transpose_b=true
MatMul int32[0,3] int32[3,4]
BatchMatMul float32[5,2,3] float32[5,3,4]
BatchMatMul float32[2,3] float32[3,4]
BatchMatMulV2 float32[2,3] float32[3,4]
BatchMatMulV2 float32[5,1,2,3] float32[4,4,3] adj_y=true
BatchMatMulV2 float32[7,3,2] float32[3,4] adj_x=true
Einsum float32[2,3] float32[3,4] equation="ij,jk->ik"
Einsum float32[2,3] equation="ij->ji"
Einsum float32[5,2,3] float32[3,4] equation="...ij,jk->...ik"
Einsum float32[5,2,3] float32[7,5,4,3] equation="...ij,...kj->ki..."
Einsum float32[3,3] equation="ii->i"
Einsum float32[3,3] equation="ij->"
Diag float32[2,3]
DiagPart float32[2,3,2,3]
MatrixDiag float32[2,3]
MatrixDiagPart float32[5,2,3]
MatrixSetDiag float32[5,3,2] float32[5,2]
MatrixBandPart float32[5,2,3] int64:1 int64:-1
Conv2D float32[2,5,7,3] float32[3,3,3,4] strides=[1,2,2,1] padding="SAME"
Conv2D float32[2,5,7,3] float32[2,3,3,4] strides=[1,1,2,1] padding="VALID" dilations=[1,2,1,1]
Conv2D float32[2,3,5,7] float32[3,3,3,4] strides=[1,1,2,2] padding="SAME" data_format="NCHW"
Conv2D float32[2,5,7,3] float32[3,3,3,4] strides=[1,2,2,1] padding="EXPLICIT" explicit_paddings=[0,0,1,1,2,0,0,0]
Conv2D float32[2,5,7,6] float32[3,3,2,9] strides=[1,1,1,1] padding="SAME"
Conv2D float32[0,5,7,3] float32[1,1,3,4] strides=[1,3,3,1] padding="VALID"
Conv2DBackpropInput [2,5,7,3] float32[3,3,3,4] float32[2,3,4,4] strides=[1,2,2,1] padding="SAME"
Conv2DBackpropInput [2,6,8,3] float32[3,3,3,4] float32[2,2,3,4] strides=[1,2,2,1] padding="VALID"
Conv2DBackpropFilter float32[2,5,7,3] [3,3,3,4] float32[2,3,4,4] strides=[1,2,2,1] padding="SAME"
DepthwiseConv2dNative float32[2,5,7,3] float32[3,5,3,2] strides=[1,2,2,1] padding="SAME"
DepthwiseConv2dNative float32[2,5,7,3] float32[3,3,3,1] strides=[1,1,1,1] padding="VALID" dilations=[1,2,2,1]
DepthwiseConv2dNativeBackpropInput [2,5,7,3] float32[3,3,3,2] float32[2,3,4,6] strides=[1,2,2,1] padding="SAME"
DepthwiseConv2dNativeBackpropFilter float32[2,5,7,3] [3,3,3,2] float32[2,3,4,6] strides=[1,2,2,1] padding="SAME"
Conv3D float32[2,4,5,7,3] float32[2,3,3,3,4] strides=[1,1,2,2,1] padding="SAME"
Conv3D float32[2,4,5,7,3] float32[2,3,3,3,4] strides=[1,1,1,2,1] padding="VALID"
Conv3DBackpropInputV2 [2,4,5,7,3] float32[2,3,3,3,4] float32[2,4,3,4,4] strides=[1,1,2,2,1] padding="SAME"
Conv3DBackpropFilterV2 float32[2,4,5,7,3] [2,3,3,3,4] float32[2,4,3,4,4] strides=[1,1,2,2,1] padding="SAME"
MaxPool|AvgPool float32[2,5,7,3] ksize=[1,3,3,1] strides=[1,2,2,1] padding="SAME"
MaxPool|AvgPool float32[2,5,7,3] ksize=[1,2,3,1] strides=[1,2,1,1] padding="VALID"
MaxPool float32[2,3,5,7] ksize=[1,1,3,3] strides=[1,1,2,2] padding="VALID" data_format="NCHW"
MaxPool float32[2,5,7,3] ksize=[1,3,3,1] strides=[1,2,2,1] padding="EXPLICIT" explicit_paddings=[0,0,1,1,0,1,0,0]
MaxPoolGrad float32[2,5,7,3] float32[2,3,4,3] float32[2,3,4,3] ksize=[1,3,3,1] strides=[1,2,2,1] padding="SAME"
AvgPoolGrad [2,5,7,3] float32[2,3,4,3] ksize=[1,3,3,1] strides=[1,2,2,1] padding="SAME"
MaxPool3D|AvgPool3D float32[2,4,5,7,3] ksize=[1,2,3,3,1] strides=[1,1,2,2,1] padding="SAME"
MaxPool3D|AvgPool3D float32[2,4,5,7,3] ksize=[1,2,3,3,1] strides=[1,1,2,2,1] padding="VALID"
MaxPool3DGrad float32[2,4,5,7,3] float32[2,4,3,4,3] float32[2,4,3,4,3] ksize=[1,2,3,3,1] strides=[1,1,2,2,1] padding="SAME"
AvgPool3DGrad [2,4,5,7,3] float32[2,4,3,4,3] ksize=[1,2,3,3,1] strides=[1,1,2,2,1] padding="SAME"
Dilation2D float32[2,5,7,3] float32[3,2,3] strides=[1,2,1,1] rates=[1,1,2,1] padding="SAME"
Dilation2D float32[2,5,7,3] float32[3,2,3] strides=[1,2,1,1] rates=[1,1,2,1] padding="VALID"
Dilation2DBackpropInput|Dilation2DBackpropFilter float32[2,5,7,3] float32[3,2,3] float32[2,3,7,3] strides=[1,2,1,1] rates=[1,1,2,1] padding="SAME"
FusedBatchNorm|FusedBatchNormV3 float32[2,5,7,3] float32[3] float32[3] float32[0] float32[0] epsilon=0.001
FusedBatchNorm|FusedBatchNormV3 float32[2,5,7,3] float32[3] float32[3] float32[3] float32[3] is_training=false
FusedBatchNormV3 float32[2,3,5,7] float32[3] float32[3] float32[3] float32[3] is_training=false data_format="NCHW"
FusedBatchNormGrad float32[2,5,7,3] float32[2,5,7,3] float32[3] float32[3] float32[3]
FusedBatchNormGradV3 float32[2,5,7,3] float32[2,5,7,3] float32[3] float32[3] float32[3] float32[0]
BiasAdd float32[2,5,7,3] float32[3]
BiasAdd float32[2,3] float32[3] data_format="NHWC"
BiasAdd float32[2,3,5,7] float32[3] data_format="NCHW"
BiasAddGrad float32[2,5,7,3]
BiasAddGrad float32[2,3,5,7] data_format="NCHW"
LRN float32[2,5,7,3] depth_radius=2
LRNGrad float32[2,5,7,3] float32[2,5,7,3] float32[2,5,7,3]
ResizeBilinear|ResizeBicubic|ResizeNearestNeighbor float32[2,5,7,3] [9,4]
ResizeBilinear|ResizeNearestNeighbor uint8[2,5,7,3] [9,4] half_pixel_centers=true
ResizeBilinearGrad float32[2,9,4,3] float32[2,5,7,3]
ResizeNearestNeighborGrad float32[2,9,4,3] [5,7]
CropAndResize float32[2,5,7,3] float32[4,4] int32[4] [3,2]
ImageProjectiveTransformV3 float32[2,5,7,3] float32[1,8] [4,4] float32[] interpolation="BILINEAR"
Reshape float32[2,3,4] [6,-1]
Reshape float32[2,3,4] int64:[4,6]
Reshape float32[1] []
Reshape float32[] [1,1]
Reshape float32[0,3] [3,0]
ExpandDims float32[2,3] 1
ExpandDims float32[2,3] -1
ExpandDims float32[2,3] [0]
Squeeze float32[1,2,1,3]
Squeeze float32[1,2,1,3] squeeze_dims=[-2]
Transpose float32[2,3,4] [2,0,1]
Transpose float32[] []
Tile float32[2,3] [2,0]
BroadcastTo float32[3,1] [2,3,4]
Slice float32[2,3,4] [1,0,2] [1,-1,2]
Slice float32[2,3] [2,0] [0,3]
StridedSlice float32[5,7] [0,4] [3,0] [2,-2]
StridedSlice float32[5,7] [1] [2] [1] shrink_axis_mask=1
StridedSlice float32[5,7] [-1,0] [0,0] [1,1] shrink_axis_mask=1 end_mask=2
StridedSlice float32[5,7,3] [0,1] [0,2] [1,1] ellipsis_mask=1
StridedSlice float32[5,7,3] [0,0,1] [0,0,2] [1,1,1] new_axis_mask=2 ellipsis_mask=1
StridedSlice float32[5,7] [0,0] [0,0] [-1,-2] begin_mask=3 end_mask=3
StridedSliceGrad [5,7] [1,0] [4,7] [1,3] float32[3,3]
Pad float32[2,3] [[1,2],[0,1]]
PadV2 float32[2,3] [[1,2],[0,1]] float32[]
PadV2 float32[2,3] int64:[[1,2],[0,1]] float32[]
MirrorPad float32[2,3] [[1,1],[2,1]] mode="REFLECT"
MirrorPad float32[2,3] [[2,1],[3,3]] mode="SYMMETRIC"
MirrorPadGrad float32[4,6] [[1,1],[2,1]] mode="REFLECT"
ConcatV2 float32[2,3] float32[2,5] float32[2,0] -1 N=3
ConcatV2 float32[2] float32[3] 0
Concat 1 float32[2,3] float32[2,5]
Pack float32[2,3] float32[2,3] axis=1
Pack int32[] int32[] int32[]
Pack float32[2,3] axis=-1 N=1
Unpack float32[2,3] num=3 axis=1
Unpack float32[2,3] num=2
Split 1 float32[2,6] num_split=3
Split -2 float32[2,6] num_split=2
SplitV float32[2,6] [1,5] 1 num_split=2
SplitV float32[2,6] [1,-1,2] -1 num_split=3
Gather float32[5,3] int32[2,4]
GatherV2 float32[5,3] int32[2,4] 1
GatherV2 float32[5,3] int32[] -1
GatherV2 float32[5,3,7] int32[5,2] 2 batch_dims=1
GatherV2 float32[5,3,7] int32[5,2] 1 batch_dims=-1
GatherNd float32[5,3] int32[4,1]
GatherNd float32[5,3] int32[4,7,2]
ScatterNd int32[4,1] float32[4,3] [5,3]
TensorScatterUpdate|TensorScatterAdd|TensorScatterSub|TensorScatterMax|TensorScatterMin float32[5,3] int32[4,1] float32[4,3]
OneHot int32[4] 5 float32[] float32[]
OneHot int64[4,2] 5 float32[] float32[] axis=0
OneHot int32[] 5 int32[] int32[] axis=-1
Fill [2,3] float32[]
Fill [] float32[]
Range 1 10 4
Range 5 0 -2
Range 3 3 1
Range float32:0 float32:1 float32:0.1
LinSpace float32[] float32[] 5
ReverseV2 float32[2,3] [-1]
ReverseV2 float32[2,3] []
Roll float32[2,3] int32[] int32[]
Shape float32[2,3]
Shape float32[2,3] out_type="int64"
Size|Rank float32[2,3]
Const dtype="float32" value=float32:[1.5,2]
SpaceToBatchND float32[2,4,6,3] [2,3] [[0,0],[1,2]]
BatchToSpaceND float32[12,2,3,3] [2,3] [[0,1],[1,2]]
SpaceToDepth float32[2,4,6,3] block_size=2
SpaceToDepth float32[2,3,4,6] block_size=2 data_format="NCHW"
DepthToSpace float32[2,4,6,12] block_size=2
SparseToDense [1,2] [5] float32[2] float32[]
InvertPermutation int32[4]
EnsureShape float32[2,3] shape=[2,3]
PlaceholderWithDefault float32[2,3] shape=[2,3]
StatelessRandomUniform|StatelessRandomNormal|StatelessTruncatedNormal [2,3] int64[2]
StatelessRandomUniformInt [2,3] int32[2] int32[] int32[] dtype="int32"
RandomUniform|RandomStandardNormal|TruncatedNormal [2,3] dtype="float32"
Multinomial float32[2,3] 5 output_dtype="int32"
StatelessMultinomial float32[2,3] 5 int32[2]
`;

/** What is refused, and the reason after an arrow. */
export const refused = `
Abs -> it takes 1 inputs, and 0 were given
Abs float32[2] float32[2] -> it takes 1 inputs, and 2 were given
Acos bool[2] -> x must be float32 or complex64, found bool
LeakyRelu float32[2] alpha="a" -> attribute alpha must be of kind float, found string
Cast float32[2] SrcT="int32" DstT="bool" -> x must be int32 (SrcT), found float32
Cast float32[2] -> attribute DstT is missing
LogicalNot float32[2] -> x must be bool, found float32
CheckNumerics float32[2] -> attribute message is missing
Mul float32[2] float32[3] -> [2] and [3] cannot be broadcast to one shape
Mul float32[2] int32[2] -> y must be float32 (T), found int32
SelectV2 bool[2] float32[3] float32[] -> [2] and [3] and [] cannot be broadcast to one shape
Select bool[3] float32[2,3] float32[2,3] -> condition must be a scalar, or have shape [2,3] or [2]
Select bool[2] float32[2] float32[] -> e must have shape [2], found []
ReluGrad float32[2] float32[3] -> features must have shape [2], found [3]
SigmoidGrad float32[2] float32[3] -> dy must have shape [2], found [3]
AddN float32[2] float32[3] -> inputs 1 must have shape [2], found [3]
AddN float32[2] float32[2] N=3 -> N is 3, and 2 tensors were given for inputs
AddN -> N is 1, and 0 tensors were given for inputs
IdentityN float32[2] T=["int32"] -> input 0 must be int32 (T), found float32
BroadcastArgs [[1]] [1] -> s0 must have rank 1, found rank 2
ClipByValue float32[2,3] float32[2] float32[] -> clip_value_min must have shape [2,3], found [2]
FakeQuantWithMinMaxVars float32[2,3] float32[1] float32[] -> min must have shape [], found [1]
FakeQuantWithMinMaxVarsPerChannel float32[2,3] float32[2] float32[3] -> min must have shape [3], found [2]
Sum float32[2,3] [2] -> axis 2 is out of range for rank 2
Sum float32[2,3] [-3] -> axis -3 is out of range for rank 2
Sum float32[2,3] [1,-1] -> axis -1 is named twice
Sum float32[2,3] [[1]] -> reduction_indices must be a list of axes
Any float32[2] [0] -> input must be bool, found float32
ArgMax float32[2,3] 2 -> axis 2 is out of range for rank 2
ArgMax float32[2,3] [0,1] -> dimension must be a scalar
ArgMax float32[2,3] 0 output_type="float32" -> attribute output_type must be int32 or int64, found float32
Cumsum float32[2,3] 2 -> axis 2 is out of range for rank 2
Cumsum float32[2,3] [0] -> axis must be a scalar
TopKV2 float32[2,5] 6 -> k must be 0 to 5, found 6
TopKV2 float32[] 1 -> input must have rank 1 or more, found rank 0
Softmax float32[] -> logits must have rank 1 or more, found rank 0
SoftmaxCrossEntropyWithLogits float32[3] float32[3] -> logits and labels must have rank 2, found [3]
SparseSoftmaxCrossEntropyWithLogits float32[4,3] int32[3] -> labels must have shape [4], found [3]
DenseBincount int32[2,2,2] 3 float32[0] -> input must have rank 1 or 2, found rank 3
DenseBincount int32[2] -1 float32[0] -> size must not be negative, found -1
UnsortedSegmentSum float32[4,3] int32[3] 2 -> data must begin with the axes [3] of segment_ids
UnsortedSegmentSum float32[4] int32[4,3] 2 -> segment_ids has a higher rank than data
UnsortedSegmentSum float32[4] int32[4] -2 -> num_segments must not be negative, found -2
MatMul float32[2,3] float32[4,5] -> the inner lengths must be equal, found 3 and 4
MatMul float32[2,3,1] float32[4,5] -> a must have rank 2, found rank 3
MatMul bool[2,3] bool[3,5] -> a must be float32, int32, int64, uint8 or complex64, found bool
BatchMatMul float32[5,2,3] float32[4,3,4] -> the axes before the last two must be equal, found [5] and [4]
BatchMatMulV2 float32[5,2,3] float32[4,3,4] -> the axes before the last two, [5] and [4] cannot be broadcast to one shape
BatchMatMulV2 float32[5,2,3] float32[5,2,4] -> the inner lengths must be equal, found 3 and 2
Einsum float32[2,3] float32[2,3] equation="ij,jk->ik" -> axis j of the equation has the lengths 3 and 2
Einsum float32[2,3] equation="ij,jk->ik" -> equation "ij,jk->ik" has 2 inputs, and 1 were given
Einsum float32[2,3] equation="ij" -> equation must have one "->", found "ij"
Einsum float32[2,3] equation="ijk->i" -> "ijk" of the equation is for rank 3, found rank 2
Einsum float32[2,3] equation="ij->k" -> the output "k" must have axes of the inputs, each once
Einsum float32[2,3] equation="ij->ii" -> the output "ii" must have axes of the inputs, each once
Einsum float32[2,3] equation="i j->ij" -> equation must have letters and at most one "..." for each input, found "i j"
Einsum float32[2,3] equation="i2->i" -> equation must have letters and at most one "..." for each input, found "i2"
Einsum float32[2,3] equation="i...->i" -> the output "i" must have "..."
DiagPart float32[2,3] -> input must have the same axes twice, found [2,3]
MatrixSetDiag float32[3,2] float32[3] -> diagonal must have shape [2], found [3]
MatrixBandPart float32[2] int64[] int64[] -> input must have rank 2 or more, found rank 1
Conv2D float32[2,5,7,3] float32[3,3,2,4] strides=[1,1,1,1] padding="SAME" -> the filter [3,3,2,4] does not fit 3 channels
Conv2D float32[2,5,7,3] float32[6,3,3,4] strides=[1,1,1,1] padding="VALID" -> the filter's extent of 6 is more than the 5 it slides over
Conv2D float32[2,5,7,3] float32[3,3,3,4] strides=[1,1,1] padding="SAME" -> attribute strides must have 4 elements, found [1,1,1]
Conv2D float32[2,5,7,3] float32[3,3,3,4] strides=[1,0,1,1] padding="SAME" -> attribute strides must be 1 for batch and channels and positive, found [1,0,1,1]
Conv2D float32[2,5,7,3] float32[3,3,3,4] strides=[2,1,1,1] padding="SAME" -> attribute strides must be 1 for batch and channels and positive, found [2,1,1,1]
Conv2D float32[2,5,7,3] float32[3,3,3,4] strides=[1,1,1,1] padding="same" -> attribute padding must be SAME, VALID or EXPLICIT, found same
Conv2D float32[2,5,7,3] float32[3,3,3,4] strides=[1,1,1,1] -> attribute padding is missing
Conv2D float32[2,5,7,3] float32[3,3,3,4] strides=[1,1,1,1] padding="EXPLICIT" explicit_paddings=[0,0,1,1] -> attribute explicit_paddings must have 8 elements, not negative, and 0 for batch and channels, found [0,0,1,1]
Conv2D float32[2,5,7,3] float32[3,3,3,4] strides=[1,1,1,1] padding="SAME" explicit_paddings=[0,0,1,1,1,1,0,0] -> attribute explicit_paddings must be empty where padding is SAME
Conv2D float32[5,7,3] float32[3,3,3,4] strides=[1,1,1,1] padding="SAME" -> the input must have rank 4, found [5,7,3]
Conv2D float32[2,5,7,3] float32[3,3,3] strides=[1,1,1,1] padding="SAME" -> the filter must have rank 4, found [3,3,3]
Conv2DBackpropInput [2,5,7,3] float32[3,3,3,4] float32[2,5,7,4] strides=[1,2,2,1] padding="SAME" -> out_backprop must have shape [2,3,4,4], found [2,5,7,4]
Conv2DBackpropInput [2,5,7] float32[3,3,3,4] float32[2,3,4,4] strides=[1,2,2,1] padding="SAME" -> the input must have rank 4, found [2,5,7]
Conv2DBackpropFilter float32[2,5,7,3] [3,3,3,4] float32[2,3,4,5] strides=[1,2,2,1] padding="SAME" -> out_backprop must have shape [2,3,4,4], found [2,3,4,5]
DepthwiseConv2dNative float32[2,5,7,3] float32[3,3,1,3] strides=[1,1,1,1] padding="SAME" -> the filter [3,3,1,3] does not fit 3 channels
DepthwiseConv2dNativeBackpropInput [2,5,7,3] float32[3,3,3,2] float32[2,3,4,5] strides=[1,2,2,1] padding="SAME" -> out_backprop must have shape [2,3,4,6], found [2,3,4,5]
MaxPool float32[2,5,7,3] ksize=[1,6,3,1] strides=[1,2,2,1] padding="VALID" -> the filter's extent of 6 is more than the 5 it slides over
MaxPool float32[2,5,7] ksize=[1,2,2,1] strides=[1,2,2,1] padding="VALID" -> the input must have rank 4, found [2,5,7]
AvgPool float32[2,5,7,3] ksize=[1,2,2] strides=[1,2,2,1] padding="VALID" -> attribute ksize must have 4 or more elements, found 3
AvgPoolGrad [2,5,7,3] float32[2,3,5,3] ksize=[1,3,3,1] strides=[1,2,2,1] padding="SAME" -> grad must have shape [2,3,4,3], found [2,3,5,3]
MaxPoolGrad float32[2,5,7,3] float32[2,3,4,3] float32[2,3,5,3] ksize=[1,3,3,1] strides=[1,2,2,1] padding="SAME" -> grad must have shape [2,3,4,3], found [2,3,5,3]
Dilation2D float32[2,5,7,3] float32[3,2,4] strides=[1,2,1,1] rates=[1,1,2,1] padding="SAME" -> the filter [3,2,4] does not fit 3 channels
FusedBatchNormV3 float32[2,5,7,3] float32[4] float32[3] float32[0] float32[0] -> scale must have shape [3], found [4]
FusedBatchNormV3 float32[2,5,7,3] float32[3] float32[3] float32[0] float32[0] is_training=false -> mean must have shape [3], found [0]
FusedBatchNormV3 float32[2,5,7] float32[7] float32[7] float32[0] float32[0] -> x must have rank 4, found rank 3
FusedBatchNormGradV3 float32[2,5,7,4] float32[2,5,7,3] float32[3] float32[3] float32[3] float32[0] -> y_backprop must have shape [2,5,7,3], found [2,5,7,4]
BiasAdd float32[2,3] float32[2] -> bias must have shape [3], found [2]
BiasAdd float32[3] float32[3] -> value must have rank 2 or more, found rank 1
LRN float32[2,3] -> input must have rank 4, found rank 2
ResizeBilinear float32[2,5,7,3] [9] -> size must have 2 elements, found 1
ResizeBilinear float32[2,5,7,3] [9,0] -> size must be positive, found [9,0]
CropAndResize float32[2,5,7,3] float32[4,3] int32[4] [3,2] -> boxes must have 4 columns, found 3
CropAndResize float32[2,5,7,3] float32[4,4] int32[3] [3,2] -> box_ind must have shape [4], found [3]
Reshape float32[2,3] [4] -> 6 elements do not fit shape [4]
Reshape float32[2,3] [4,-1] -> 6 elements do not fit shape [4,-1]
Reshape float32[2,3] [-1,-1] -> shape must not be negative but for one -1, found [-1,-1]
Reshape float32[2,3] [-2,-3] -> shape must not be negative but for one -1, found [-2,-3]
ExpandDims float32[2,3] 3 -> axis 3 is out of range for rank 3
Squeeze float32[1,2] squeeze_dims=[1] -> axis 1 cannot be left out: its length is 2
Squeeze float32[1,2] squeeze_dims=[2] -> axis 2 is out of range for rank 2
Transpose float32[2,3] [0] -> perm must have 2 elements, found 1
Transpose float32[2,3] [0,0] -> perm must name each axis once, found [0,0]
Tile float32[2,3] [2] -> multiples must have 2 elements, found 1
Tile float32[2,3] [2,-1] -> multiples must not be negative, found [2,-1]
BroadcastTo float32[3] [2,4] -> [3] and [2,4] cannot be broadcast to one shape
BroadcastTo float32[2,3] [3] -> [2,3] cannot be broadcast to [3]
Slice float32[2,3] [1,0] [2,3] -> axis 0 has length 2, found begin 1 and size 2
Slice float32[2,3] [0] [2] -> begin must have 2 elements, found 1
StridedSlice float32[5,7] [5] [6] [1] shrink_axis_mask=1 -> index 5 is out of range for axis 0 of length 5
StridedSlice float32[5,7] [0] [2] [0] -> strides must not be 0
StridedSlice float32[5] [0,0] [1,1] [1,1] -> it slices 2 axes of [5]
StridedSlice float32[5,7] [0,0] [1,1] [1,1] ellipsis_mask=3 -> only one ellipsis is allowed
StridedSlice float32[5,7] [1] [2] [-1] shrink_axis_mask=1 -> strides must be positive where one index is taken
StridedSliceGrad [5,7] [1,0] [4,7] [1,3] float32[3,4] -> dy must have shape [3,3], found [3,4]
Pad float32[2,3] [[1,2]] -> paddings must have shape [2,2], found [1,2]
PadV2 float32[2] [[1,-1]] float32[] -> paddings must not be negative, found [1,-1]
MirrorPad float32[2,3] [[2,0],[0,0]] mode="REFLECT" -> axis 0 of length 2 can be mirrored by up to 1, found 2 and 0
MirrorPadGrad float32[2] [[2,1]] mode="SYMMETRIC" -> axis 0 of length 2 has no 2 + 1 elements to leave out
ConcatV2 float32[2,3] float32[3,3] 1 -> all axes but 1 must be equal, found [2,3] and [3,3]
ConcatV2 float32[2,3] float32[2,3] 2 -> axis 2 is out of range for rank 2
ConcatV2 float32[2,3] float32[2] 0 -> all axes but 0 must be equal, found [2,3] and [2]
ConcatV2 float32[2] 0 -> N is 2, and 1 tensors were given for values
Pack float32[2] float32[3] -> all shapes must be equal, found [2] and [3]
Pack float32[2] float32[2] axis=2 -> axis 2 is out of range for rank 2
Unpack float32[2,3] num=2 axis=1 -> axis 1 has length 3, found num 2
Split 1 float32[2,5] num_split=2 -> axis 1 of length 5 cannot be split into 2 equal parts
SplitV float32[2,6] [1,4] 1 num_split=2 -> axis 1 of length 6 cannot be split into [1,4]
SplitV float32[2,6] [1,5] 1 num_split=3 -> size_splits must have 3 elements, found 2
GatherV2 float32[5,3] int32[2] 2 -> axis 2 is out of range for rank 2
GatherV2 float32[5,3] int32[2] 0 batch_dims=1 -> batch_dims must be 0 to the smaller of axis and the rank of indices, found 1
GatherV2 float32[5,3] int32[2,4] 1 batch_dims=1 -> params and indices must have the same first 1 axes
GatherNd float32[5,3] int32[4,3] -> 3 indices are too many for a tensor of shape [5,3]
ScatterNd int32[4,1] float32[4,2] [5,3] -> updates must have shape [4,3], found [4,2]
TensorScatterUpdate float32[5,3] int32[4,1] float32[4,2] -> updates must have shape [4,3], found [4,2]
OneHot int32[4] -5 float32[] float32[] -> depth must not be negative, found -5
OneHot int32[4] 5 float32[] float32[] axis=2 -> axis 2 is out of range for rank 2
Fill [-2] float32[] -> dims must not be negative, found [-2]
Fill [2] float32[1] -> value must have shape [], found [1]
Range 0 5 0 -> delta must not be 0
Range 0 5 -1 -> limit 5 cannot be reached from 0 in steps of -1
LinSpace float32[] float32[] 0 -> num must be positive, found 0
ReverseV2 float32[2,3] [2] -> axis 2 is out of range for rank 2
ReverseV2 float32[2,3] [1,-1] -> axis must name no axis twice, found [1,1]
SpaceToBatchND float32[2,4,5,3] [2,2] [[0,0],[0,0]] -> axis 2, with its paddings 5, is not a multiple of 2
BatchToSpaceND float32[3,4,5,3] [2,2] [[0,0],[0,0]] -> the batch of 3 is not a multiple of 4
SpaceToDepth float32[2,5,6,3] block_size=2 -> axis 1 of length 5 is not a multiple of 2
DepthToSpace float32[2,4,6,3] block_size=2 -> axis 3 of length 3 is not a multiple of 4
DepthToSpace float32[2,4,6,3] block_size=1 -> attribute block_size must be 2 or more, found 1
EnsureShape float32[2,3] shape=[2,4] -> its shape must be [2,4]
StatelessRandomUniform [2,3] int32[3] -> seed must have shape [2], found [3]
Where bool[2] -> the shape of its output depends on values, found int64[-1,1], and every length must be known
Unique float32[4] -> the shape of its output depends on values, found float32[-1], and every length must be known
UniqueV2 float32[4,3] [1] -> the shape of its output depends on values, found float32[4,-1], and every length must be known
NonMaxSuppressionV3 float32[4,4] float32[4] int32[] float32[] float32[] -> the shape of its output depends on values, found int32[-1], and every length must be known
Sum float32[2,3] int32[1] -> the shape of its output depends on values, and reduction_indices is computed, but only constants are known while recording
Fill int32[2] float32[] -> the shape of its output depends on values, and dims is computed, but only constants are known while recording
`;
