// The network input that a photograph gets. Crop: the same square for all. Whole: the photograph's own proportions at the square's area, so that
// both cost the same; sides are rounded to what the networks halve without a remainder, so that a collection has few shapes.

namespace Mirror.Pipeline;

/// <summary>Height and width of a network input in pixels.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public readonly record struct InputShape(int Height, int Width)
{
    /// <summary>Sides of a shape that is not square are multiples of this: the networks' total stride.</summary>
    public const int Unit = 32;

    /// <summary>The greatest proportion of two sides; a photograph beyond it is squeezed to it, so that no file costs much more than another.</summary>
    public const int MostProportion = 16;

    /// <summary>The square.</summary>
    public static InputShape Square(int size) => new(size, size);

    /// <summary>The shape of every <paramref name="step"/>-th pixel, the first one included.</summary>
    /// <param name="step">At least 1.</param>
    public InputShape Subsampled(int step) => new((Height + step - 1) / step, (Width + step - 1) / step);

    /// <summary>
    /// The shape for a whole photograph: sides in its proportions (at most 16 to 1) and of the area size x size, each rounded to the nearest multiple of <see cref="Unit"/> but at least
    /// <paramref name="least"/>. Turning the photograph turns the shape.
    /// </summary>
    /// <param name="size">Side of the square of equal area, in pixels, at least 1.</param>
    /// <param name="least">The smallest side that the network admits.</param>
    /// <param name="width">Of the photograph, in pixels, at least 1.</param>
    /// <param name="height">Of the photograph, in pixels, at least 1.</param>
    public static InputShape Whole(int size, int least, int width, int height)
    {
        var proportion = Math.Sqrt(Math.Clamp(width / (double)height, 1.0 / MostProportion, MostProportion));
        return new(Side(size / proportion), Side(size * proportion));

        int Side(double wanted)
        {
            var smallest = (least + Unit - 1) / Unit;
            return Unit * (int)Math.Clamp(Math.Round(wanted / Unit), smallest, PixelImage.MaxSide / Unit);
        }
    }
}
