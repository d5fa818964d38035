// What a front is made of: brick, plaster or stone, with dirt, shutters and a shop sign; and the panes behind its openings.

using System.Numerics;

namespace Mirror.Synthesis;

/// <summary>Colours of one front; points are metres from its lower left corner.</summary>
internal sealed class FacadeTexture(Solid solid, bool shop, float halfWindow)
{
    private const float LetterWidth = 0.36f;

    private static readonly Vector3 Mortar = Colors.Of(0xA8A094);
    private static readonly Vector3 Glass = Colors.Of(0x1B232A);
    private static readonly Vector3[] Paints =
        [Colors.Of(0x2F5A4A), Colors.Of(0x3A4F78), Colors.Of(0x7A2A2A), Colors.Of(0x5A4632), Colors.Of(0xB9B4A8), Colors.Of(0x2A2C30)];

    private static readonly string[] Trades = ["BAKERY", "BOOKS", "CAFE", "FLOWERS", "WINE", "SHOES", "TOYS", "PHARMACY"];

    // A..Z, each five rows of three dots from the top, the leftmost dot in the highest bit.
    private static readonly int[] Letters =
    [
        0x2BED, 0x6BAE, 0x3923, 0x6B6E, 0x79A7, 0x79A4, 0x396B, 0x5BED, 0x7497, 0x126A, 0x5BAD, 0x4927, 0x5FED,
        0x6B6D, 0x2B6A, 0x6BA4, 0x2B73, 0x6BAD, 0x388E, 0x7492, 0x5B6F, 0x5B6A, 0x5BFD, 0x5AAD, 0x5A92, 0x72A7,
    ];

    private readonly uint _seed = solid.Seed;
    private readonly Vector3 _paint = Paints[solid.Seed / 4 % (uint)Paints.Length];
    private readonly bool _shutters = Noise.Unit(solid.Seed, 7) < 0.4f;

    /// <summary>The frame around an opening.</summary>
    internal Surface Trim(Vector2 at) =>
        new(Vector3.Lerp(solid.Color, Colors.Of(0xDDD8CC), 0.75f) * (1 + (0.15f * Noise.Sum(at, 0.9f, _seed, 3))));

    /// <summary>The wall.</summary>
    /// <param name="at">The point.</param>
    /// <param name="fromColumn">Metres from the middle of the column of windows.</param>
    /// <param name="footprint">Size of a pixel there, metres.</param>
    internal Surface Wall(Vector2 at, float fromColumn, float footprint)
    {
        if (at.Y is > 3.05f and < 3.75f && shop)
        {
            return Sign(at);
        }

        float inStorey = (at.Y - Facade.GroundFloor) % 3.1f;
        float beside = MathF.Abs(fromColumn) - halfWindow;
        if (_shutters && at.Y > Facade.GroundFloor && beside is > 0.14f and < 0.62f && inStorey is > 0.6f and < 2.3f)
        {
            float slat = 0.25f * MathF.Sin(at.Y * MathF.Tau / 0.09f) * Noise.Visible(0.09f, footprint);
            return new Surface(_paint * 1.3f * (1 + slat));
        }

        float stain = 0.35f * Noise.Sum(new Vector2(at.X * 2.2f, at.Y * 0.5f), 2.4f, _seed + 1, 5, footprint);
        float low = at.Y < 0.7f ? -0.22f : 0;
        Vector3 color = (solid.Seed & 3) switch
        {
            0 => Masonry(at, 0.25f, 0.078f, 0.012f, 0.3f, footprint),
            1 => solid.Color * (1 + (0.12f * Noise.Sum(at, 0.3f, _seed + 2, 3, footprint))),
            _ => Masonry(at, 0.85f, 0.42f, 0.018f, 0.2f, footprint),
        };
        return new Surface(color * MathF.Max(0.2f, 1 + stain + low));
    }

    /// <summary>Glass, curtains, goods or a door, behind an opening.</summary>
    /// <param name="at">The point, from the opening's middle.</param>
    /// <param name="opening">The opening.</param>
    /// <param name="seed">The front's seed.</param>
    internal static Surface Pane(Vector2 at, Opening opening, uint seed)
    {
        Vector3 paint = Paints[seed / 4 % (uint)Paints.Length];
        Vector2 border = opening.Half - Vector2.Abs(at);
        if (opening.Kind == OpeningKind.Door)
        {
            bool groove = MathF.Abs(at.X) < 0.02f || MathF.Abs((at.Y % 0.8f) - 0.1f) < 0.03f;
            return new Surface(at.Y > 0.75f ? Glass : paint * (groove ? 0.5f : 1.1f), at.Y > 0.75f ? 0.2f : 0.02f);
        }

        Vector3 frame = opening.Kind == OpeningKind.Shop ? paint : Colors.Of(0xE9E6DE);
        bool bar = opening.Kind == OpeningKind.Window
            ? MathF.Abs(at.X) < 0.035f || MathF.Abs(at.Y - (0.35f * opening.Half.Y)) < 0.03f
            : MathF.Abs(at.X) < 0.03f;
        if (border.X < 0.07f || border.Y < 0.07f || bar)
        {
            return new Surface(frame);
        }

        if (opening.Kind == OpeningKind.Shop)
        {
            // Goods on two shelves: blocks of colour, each its own.
            int item = (int)MathF.Floor(at.X / 0.27f);
            int shelf = (int)MathF.Floor(at.Y / 0.55f);
            uint hash = Noise.Hash(item, shelf, opening.Hash);
            bool thing = at.Y - (shelf * 0.55f) < 0.12f + (0.36f * Noise.Unit(hash, 1)) && shelf < 1;
            var color = new Vector3(Noise.Unit(hash, 2), Noise.Unit(hash, 3), Noise.Unit(hash, 4));
            return new Surface(thing ? color * 0.28f : Glass * 1.4f, 0.14f);
        }

        float curtain = Noise.Unit(opening.Hash, 1);
        bool drawn = MathF.Abs(at.X) > opening.Half.X * (0.35f + (0.6f * curtain));
        bool blind = Noise.Unit(opening.Hash, 2) < 0.3f && at.Y > opening.Half.Y * (1.6f * Noise.Unit(opening.Hash, 3) - 0.6f);
        Vector3 cloth = Colors.Of(0xB9B2A2) * (1 + (0.2f * MathF.Sin(at.X * 45)));
        return new Surface(drawn || blind ? cloth * 0.6f : Glass, 0.22f);
    }

    private Vector3 Masonry(Vector2 at, float length, float course, float joint, float spread, float footprint)
    {
        int row = (int)MathF.Floor(at.Y / course);
        float along = at.X + (0.5f * length * (row & 1));
        int column = (int)MathF.Floor(along / length);
        float each = spread * 2 * (Noise.Unit(column, row, _seed) - 0.5f) * Noise.Visible(length, footprint);
        bool inJoint = along - (column * length) < joint || at.Y - (row * course) < joint;
        Vector3 block = solid.Color * (1 + each + (0.15f * Noise.Sum(at, 0.4f, _seed + 3, 3, footprint)));
        float visible = Noise.Visible(course, footprint);
        Vector3 mean = Vector3.Lerp(solid.Color * (1 + each), Mortar, joint / course);
        return Vector3.Lerp(mean, inJoint ? Mortar * 0.8f : block, visible);
    }

    // A board with the shop's trade in capitals of 3 x 5 dots, repeated along the front.
    private Surface Sign(Vector2 at)
    {
        string word = Trades[solid.Seed / 32 % (uint)Trades.Length];
        int cell = (int)MathF.Floor((at.X - 0.8f) / LetterWidth);
        int column = (int)MathF.Floor((((at.X - 0.8f) / LetterWidth) - cell) * 4);
        int row = (int)MathF.Floor((3.65f - at.Y) / 0.1f);
        int letter = cell % (word.Length + 4);
        bool whole = cell >= 0 && 0.8f + ((cell - letter + word.Length) * LetterWidth) < (2 * solid.Half.X) - 0.4f;
        bool inLetter = whole && letter < word.Length && column < 3 && row is >= 0 and < 5;
        bool dot = inLetter && (Letters[word[letter] - 'A'] >> (14 - (3 * row) - column) & 1) != 0;
        return new Surface(dot ? Colors.Of(0xE8DDB8) : _paint, 0.02f);
    }
}
