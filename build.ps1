# Builds, tests and runs Mirror on Windows; build.sh is its twin (same verbs, same order).
# oneDNN, OpenBLAS, LAPACKE and libjpeg-turbo come from vcpkg: VCPKG_ROOT must point at it.
param([Parameter(Position = 0)][string]$Verb = "help", [Parameter(ValueFromRemainingArguments)][string[]]$Rest = @())
$ErrorActionPreference = "Stop"
Set-Location $PSScriptRoot
if ($Rest.Count -and $Rest[0] -eq "--") { $Rest = @($Rest | Select-Object -Skip 1) }
$packages = "onednn", "openblas", "lapack", "libjpeg-turbo"

function Invoke-Checked([string]$Program) {
    & $Program @args
    if ($LASTEXITCODE -ne 0) { throw "$Program $args ended with status $LASTEXITCODE" }
}

function Initialize-Packages {
    if (-not (Get-Command dotnet -ErrorAction SilentlyContinue)) { throw "✗ .NET SDK 10 not found: https://dotnet.microsoft.com/download/dotnet/10.0" }
    if (-not (Get-Command cmake -ErrorAction SilentlyContinue)) { throw "✗ CMake not found: https://cmake.org/download" }
    if (-not $env:VCPKG_ROOT) { throw "✗ VCPKG_ROOT is not set: install vcpkg, then 'vcpkg install $packages'" }
    foreach ($package in $packages) { Invoke-Checked "$env:VCPKG_ROOT/vcpkg" install $package }
}

function Build-Native([string]$Preset) {
    Invoke-Checked cmake --preset $Preset "-DCMAKE_TOOLCHAIN_FILE=$env:VCPKG_ROOT/scripts/buildsystems/vcpkg.cmake"
    Invoke-Checked cmake --build --preset $Preset
}

function Build-All {
    Initialize-Packages
    Build-Native release
    Invoke-Checked dotnet publish src/Mirror.Cli -c Release --use-current-runtime -o artifacts/mirror --nologo -v quiet
    Write-Host "✓ CPU backend (oneDNN, OpenBLAS)   ✗ CUDA backend (on Linux only so far)"
    Write-Host "✓ artifacts/mirror/mirror"
}

function Test-All {
    Build-All
    Invoke-Checked ctest --preset release
    foreach ($project in "Mirror.Interop.Tests", "Mirror.Tests") { Invoke-Checked dotnet test "tests/$project" -c Release --nologo }
}

switch ($Verb) {
    "setup" {
        if ($Rest -contains "--cuda-compiler") { throw "✗ setup --cuda-compiler is for Debian; on Windows install CUDA 12.4 or later from NVIDIA" }
        Initialize-Packages; Write-Host "✓ nothing is missing"
    }
    "build" { Build-All }
    "test" { Test-All }
    "run" {
        if (-not (Test-Path artifacts/mirror/mirror.exe)) { Build-All }
        & artifacts/mirror/mirror.exe @Rest
        exit $LASTEXITCODE
    }
    "bench" { Build-All; & artifacts/mirror/mirror.exe bench @Rest; exit $LASTEXITCODE }
    "format" {
        # mirror.h and the kernel tests are laid out by hand, as kernels/ is (its .clang-format).
        git ls-files "*.cpp" "*.hpp" "*.h" ":!native/include/mirror/mirror.h" ":!tests/simt/test_*" | ForEach-Object { Invoke-Checked clang-format -i $_ }
        Invoke-Checked dotnet format Mirror.sln
    }
    "pack" {
        Build-All
        Invoke-Checked dotnet pack Mirror.sln -c Release -o artifacts/packages --nologo -v quiet
        Invoke-Checked tar -C artifacts -czf artifacts/packages/mirror-win-x64.tar.gz mirror
    }
    "clean" { Remove-Item -Recurse -Force artifacts, build -ErrorAction SilentlyContinue }
    default { Write-Host "usage: ./build.ps1 setup|build|test|run|bench|format|pack|clean [-- ARGS]  (see build.sh)"; if ($Verb -ne "help") { exit 2 } }
}
